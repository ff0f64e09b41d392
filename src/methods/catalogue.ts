// Written by `npm run registry` from the files in this folder; do not edit.
import type { AnySegmentationMethod, MethodEntry } from './define.js'

export const methodList: readonly MethodEntry[] = [
{
  "id": "nnunet",
  "title": "nnU-Net v2, trained by you",
  "describe": "Runs a trained nnU-Net v2 as nnU-Net does: the plans' cropping, normalisation and resampling, overlapping windows with Gaussian weights, mirror images and folds averaged. It needs a model: `lesionwise import-model` makes one from nnU-Net's result folder, `lesionwise train --preset nnunet` from labelled scans. Bias fields are left in, as in its training.",
  "citation": {
    "text": "Isensee F, Jaeger PF, Kohl SAA, Petersen J, Maier-Hein KH. nnU-Net: a self-configuring method for deep learning-based biomedical image segmentation. Nature Methods 2021;18:203–211.",
    "doi": "10.1038/s41592-020-01008-z"
  },
  "supervision": "supervised",
  "strategy": "deep",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "convolutional neural network",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2",
        "pd",
        "t1gd"
      ],
      [
        "flair"
      ]
    ],
    "grid": "native",
    "bias": "none",
    "model": true
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "model": {
        "type": "string",
        "minLength": 1,
        "description": "folder that `lesionwise import-model` or `lesionwise train` wrote"
      },
      "channels": {
        "default": "auto",
        "description": "contrasts of the network's channels in order, such as flair,t1; auto: by the names in dataset.json",
        "type": "string"
      },
      "lesion": {
        "default": 1,
        "description": "label of dataset.json that is the lesions",
        "type": "integer",
        "minimum": 1,
        "maximum": 255
      },
      "orientation": {
        "default": "RAS",
        "description": "towards where the axes of the training images grew: R or L, A or P, S or I, as they were stored",
        "type": "string"
      },
      "stripped": {
        "default": false,
        "description": "the training images were zero outside the brain: make these so",
        "type": "boolean"
      },
      "mirror": {
        "default": true,
        "description": "average over the mirror images along the axes of its training",
        "type": "boolean"
      }
    },
    "required": [
      "model"
    ]
  }
},
{
  "id": "unet2d",
  "title": "Multi-plane 2.5-D U-Net",
  "describe": "A small U-Net labels every slice from it and its neighbours, along all three axes where voxels are even, else along the slices only; probabilities are averaged and cut at the threshold that was best on scans that the judged networks had not seen. It sees FLAIR on a scale of the scan's own grey and white matter, T1 where there is one, and atlas maps of white matter, cortex and lesion frequency. The shipped model averages its probability with the belief of the FLAIR threshold roura2015, which holds on scanners that the network has not seen.",
  "citation": {
    "text": "Ronneberger O, Fischer P, Brox T. U-Net: convolutional networks for biomedical image segmentation. MICCAI 2015, LNCS 9351:234–241.",
    "doi": "10.1007/978-3-319-24574-4_28"
  },
  "supervision": "supervised",
  "strategy": "deep",
  "handling": "2.5d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "convolutional neural network",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1"
      ],
      [
        "flair"
      ]
    ],
    "grid": "native",
    "bias": "n4"
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "model": {
        "default": "multislice",
        "description": "a model that comes with the package, or the folder of another",
        "type": "string",
        "minLength": 1
      },
      "mirror": {
        "default": true,
        "description": "predict the left-right mirrored slice too, and average",
        "type": "boolean"
      }
    }
  }
},
{
  "id": "unet3d",
  "title": "3-D U-Net, trained by you",
  "describe": "A 3-D U-Net labels overlapping cubes of 1 mm voxels; logits are averaged and the probability cut at the model's threshold. It needs a model: `lesionwise train --preset unet3d` makes one from your labelled scans.",
  "citation": {
    "text": "Çiçek Ö, Abdulkadir A, Lienkamp SS, Brox T, Ronneberger O. 3D U-Net: learning dense volumetric segmentation from sparse annotation. MICCAI 2016, LNCS 9901:424–432.",
    "doi": "10.1007/978-3-319-46723-8_49"
  },
  "supervision": "supervised",
  "strategy": "deep",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "convolutional neural network",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1"
      ],
      [
        "flair"
      ]
    ],
    "grid": "isotropic-1mm",
    "bias": "n4",
    "model": true
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "model": {
        "type": "string",
        "minLength": 1,
        "description": "folder that `lesionwise train` wrote"
      },
      "mirror": {
        "default": true,
        "description": "average over the left-right mirror image",
        "type": "boolean"
      }
    },
    "required": [
      "model"
    ]
  }
},
{
  "id": "valverde2017",
  "title": "Cascade of patch networks (nicMSlesions), trained by you",
  "describe": "Voxels with FLAIR above z 0.5 are classified by a small 3-D network from the 11³ voxels around them; what it is sure of goes to a second network that was trained on the false positives of the first. Small components and very small totals are dropped. It needs a model: `lesionwise train --preset valverde2017` makes one from your labelled scans.",
  "citation": {
    "text": "Valverde S, Cabezas M, Roura E, González-Villà S, Pareto D, Vilanova JC, et al. Improving automated multiple sclerosis lesion segmentation with a cascaded 3D convolutional neural network approach. NeuroImage 2017;155:159–168.",
    "doi": "10.1016/j.neuroimage.2017.04.034"
  },
  "supervision": "supervised",
  "strategy": "deep",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "convolutional neural network",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1"
      ]
    ],
    "grid": "native",
    "bias": "n4",
    "model": true
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "model": {
        "type": "string",
        "minLength": 1,
        "description": "folder that `lesionwise train` wrote"
      },
      "smallest": {
        "default": 10,
        "description": "components of this many voxels (6-connected) and fewer are dropped (l_min)",
        "type": "integer",
        "minimum": 0,
        "maximum": 9007199254740991
      },
      "leastMl": {
        "default": 0.5,
        "description": "smaller totals than this, ml, count as nothing (min_error)",
        "type": "number",
        "minimum": 0
      }
    },
    "required": [
      "model"
    ]
  }
},
{
  "id": "roura2015",
  "title": "Two-level FLAIR threshold from the grey-matter peak (SLS)",
  "describe": "The peak of grey matter in the FLAIR histogram gives a mode and a width. Voxels far above it, inside white matter, are certain lesion; they grow into neighbouring voxels down to a second level, which lies between the white matter and the lesions of the scan itself. Small findings are dropped.",
  "citation": {
    "text": "Roura E, Oliver A, Cabezas M, et al. A toolbox for multiple sclerosis lesion segmentation. Neuroradiology 2015;57:1031–1043.",
    "doi": "10.1007/s00234-015-1552-2"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "thresholding",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1"
      ],
      [
        "flair"
      ]
    ],
    "grid": "native",
    "bias": "n4"
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "alpha": {
        "default": 2.25,
        "description": "strict level above the grey-matter mode, in σ of its peak",
        "type": "number",
        "minimum": 0.5,
        "maximum": 10
      },
      "alphaGrow": {
        "default": 1.75,
        "description": "first guess of the finer level, in the same σ",
        "type": "number",
        "minimum": 0.5,
        "maximum": 10
      },
      "edge": {
        "default": 0.66,
        "description": "finer level as a fraction of the way from the white-matter mode to the median lesion",
        "type": "number",
        "minimum": 0.2,
        "maximum": 1
      },
      "whiteSeed": {
        "default": 0.75,
        "description": "smoothed white-matter probability asked of certain lesion",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "whiteGrow": {
        "default": 0.6,
        "description": "smoothed white-matter probability asked of any lesion voxel",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "whiteSigma": {
        "default": 3,
        "description": "smoothing of the white-matter probability, mm (Gaussian σ)",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "smoothing": {
        "default": 0.6,
        "description": "smoothing of FLAIR, mm (Gaussian σ); not across thick slices",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      },
      "smallest": {
        "default": 10,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "schmidt2012",
  "title": "Lesion growth algorithm (LST-LGA)",
  "describe": "Each voxel gets a belief of being lesion: how much brighter it is on FLAIR than its tissue class, weighted by the white-matter prior. Certain voxels become seeds; the seeds grow into bright neighbours as long as a model of lesion intensity explains them better than the models of tissue.",
  "citation": {
    "text": "Schmidt P, Gaser C, Arsic M, et al. An automated tool for detection of FLAIR-hyperintense white-matter lesions in multiple sclerosis. NeuroImage 2012;59:3774–3783.",
    "doi": "10.1016/j.neuroimage.2011.11.032"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "lesion growth",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1"
      ],
      [
        "flair"
      ]
    ],
    "grid": "native",
    "bias": "n4"
  },
  "parameters": {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
      "kappa": {
        "default": 0.3,
        "description": "seeds: initial belief times its mean over six neighbours above this (FLAIR in units of its mode)",
        "type": "number",
        "minimum": 0.01,
        "maximum": 5
      },
      "phi": {
        "default": 1,
        "description": "weight of the six neighbours during growth",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      },
      "iterations": {
        "default": 50,
        "description": "most rounds of growth",
        "type": "integer",
        "minimum": 0,
        "maximum": 500
      },
      "cut": {
        "default": 0.5,
        "description": "lesion probability from which a voxel is lesion",
        "type": "number",
        "minimum": 0.01,
        "maximum": 1
      },
      "whiteSigma": {
        "default": 2,
        "description": "smoothing of the white-matter prior, mm (Gaussian σ)",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "smoothing": {
        "default": 0.6,
        "description": "smoothing of FLAIR, mm (Gaussian σ); not across thick slices",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      }
    }
  }
},
]

export const loaders: Readonly<Record<string, () => Promise<AnySegmentationMethod>>> = {
  nnunet: async () => (await import('./deep/nnunet.js')).nnunet,
  unet2d: async () => (await import('./deep/unet2d.js')).unet2d,
  unet3d: async () => (await import('./deep/unet3d.js')).unet3d,
  valverde2017: async () => (await import('./deep/valverde2017.js')).valverde2017,
  roura2015: async () => (await import('./unsupervised/roura2015.js')).roura2015,
  schmidt2012: async () => (await import('./unsupervised/schmidt2012.js')).schmidt2012,
}
