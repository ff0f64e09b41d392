// Written by `npm run registry` from the files in this folder; do not edit.
import type { AnySegmentationMethod, MethodEntry } from './define.js'

export const methodList: readonly MethodEntry[] = [
{
  "id": "nnunet",
  "title": "nnU-Net v2, trained by you",
  "describe": "Runs a trained nnU-Net v2 as nnU-Net does: the plans' cropping, normalisation and resampling, overlapping windows with Gaussian weights, mirror images and folds averaged. It needs a model: `lesionwise import-model` makes one from nnU-Net's result folder, `lesionwise train --preset nnunet` from labelled scans. Bias fields are left in, as in its training.",
  "use": {
    "for": "Models that nnU-Net trained, brought over by import-model, or trained here by --preset nnunet.",
    "not": "Not for images prepared otherwise than those it was trained on."
  },
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
  "use": {
    "for": "Scans like those of its three training centres (1 mm 3-D, or clinical 2-D of 3 to 8 mm slices), or with a model trained on yours (--model).",
    "not": "Not on the 15 development scans, which it has seen, and not unseen on a new scanner: check some scans first."
  },
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
  "use": {
    "for": "With a model trained on scans of yours of about 1 mm in all directions.",
    "not": "Not for slices of 3 mm and more: unet2d looks within slices."
  },
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
  "use": {
    "for": "With a model trained on few scans of yours, FLAIR and T1: its patches are small and so is its hunger for data.",
    "not": "Not without T1, and not where time counts: each candidate voxel is looked at by itself."
  },
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
  "id": "bricq2008",
  "title": "Hidden Markov chain with trimmed likelihood",
  "describe": "The brain is unfolded along a space-filling curve into one chain of voxels. A hidden Markov chain of fluid, grey and white matter is fitted to it with an atlas as prior, leaving out the voxels that it explains worst. Voxels far from their own tissue that are brighter than grey matter on FLAIR, in white matter, are lesion.",
  "use": {
    "for": "Scans with FLAIR, best with T1 and T2, whose tissues are noisy but plainly apart: the chain smooths as it classifies.",
    "not": "Not for cortical or brainstem lesions, nor for volumes where confluent lesions are as grey as the cortex: their rims and parts of their inside are left out. On thick slices half of the findings are bands along the ventricles, the fornix and temporal white matter."
  },
  "citation": {
    "text": "Bricq S, Collet C, Armspach JP. MS lesion segmentation based on hidden Markov chains. In: 3D Segmentation in the Clinic: A Grand Challenge II, MICCAI Workshop 2008."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "T2-FLAIR"
  ],
  "classifier": "hidden Markov chain",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "trim": {
        "default": 0.1,
        "description": "share of the voxels that the fit leaves out",
        "type": "number",
        "minimum": 0,
        "maximum": 0.5
      },
      "iterations": {
        "default": 20,
        "description": "rounds of the fit",
        "type": "integer",
        "minimum": 1,
        "maximum": 200
      },
      "tau": {
        "default": 0.05,
        "description": "a voxel of its own tissue is called an outlier with this chance",
        "type": "number",
        "minimum": 1e-12,
        "maximum": 0.5
      },
      "bright": {
        "default": 2,
        "description": "least FLAIR of a lesion above the grey-matter mode, in σ of its peak",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
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
      "border": {
        "default": 0.1,
        "description": "largest share of a finding at the border of the brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
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
  "id": "catanese2015",
  "title": "Graph cut on a robust tissue model",
  "describe": "A mixture of fluid, grey and white matter is fitted while the voxels that it explains worst are left out. Being unlike every tissue and brighter than white matter speaks for lesion, being like a tissue speaks against it. A graph cut weighs both with the agreement of neighbours, and simple rules of surroundings and size prune what it finds.",
  "use": {
    "for": "Scans with FLAIR, T1 and, best, T2, of lesions that are plainly brighter than grey matter; borders come out smooth.",
    "not": "Not for counting lesions: up to three quarters of the findings are specks of cortex at the depths of frontal sulci, or bands along the ventricles. Not for cortical or brainstem lesions, nor for faint ones: what a tissue explains is not lesion."
  },
  "citation": {
    "text": "Catanese L, Commowick O, Barillot C. Automatic graph cut segmentation of multiple sclerosis lesions. ISBI 2015 Longitudinal Multiple Sclerosis Lesion Segmentation Challenge."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "PD-w",
    "T2-FLAIR"
  ],
  "classifier": "EM and graph cut",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1",
        "pd"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "trim": {
        "default": 0.1,
        "description": "share of the voxels that the mixture leaves out",
        "type": "number",
        "minimum": 0,
        "maximum": 0.5
      },
      "brightFrom": {
        "default": 2,
        "description": "no sign of lesion up to here: σ of white matter above its mean",
        "type": "number",
        "minimum": -5,
        "maximum": 10
      },
      "brightTo": {
        "default": 3,
        "description": "full sign of lesion from here: σ of white matter above its mean",
        "type": "number",
        "minimum": -5,
        "maximum": 20
      },
      "alpha": {
        "default": 10,
        "description": "weight of the single voxels against the links",
        "type": "number",
        "minimum": 0,
        "maximum": 1000000
      },
      "edge": {
        "default": 0.6,
        "description": "σ of the links in the spectral gradient, three contrasts",
        "type": "number",
        "minimum": 0.01,
        "maximum": 100
      },
      "edgeGrey": {
        "default": 8,
        "description": "σ of the links with fewer contrasts, on a scale of 0–255",
        "type": "number",
        "minimum": 0.1,
        "maximum": 255
      },
      "priorRate": {
        "default": 0.23,
        "description": "share that the prior map of lesions has in both weights",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "least": {
        "default": 3,
        "description": "least brightness of a lesion voxel: σ of white matter above its mean",
        "type": "number",
        "minimum": -5,
        "maximum": 20
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "whiteAround": {
        "default": 0,
        "description": "part of the voxels around a finding that must be white matter",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallest": {
        "default": 9,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "cerri2021",
  "title": "Contrast-adaptive whole-brain and lesion model (SAMSEG-Lesion)",
  "describe": "A model of how the images arise: each structure has Gaussian log-intensities, a smooth bias field lies over them, and an atlas says where each structure is likely. Lesions have a wide Gaussian of their own that is tied to white matter, so that no contrast has to be trained for. Lesions are then sampled given their place, their intensity and their neighbours. It labels the other structures too.",
  "use": {
    "for": "Contrasts or scanners that nothing was trained on, and when the other structures are wanted too.",
    "not": "Not for small, few or infratentorial lesions: most findings are specks of cortex and choroid plexus, the septum, tips of the ventricles and remains of skull. Not when it must be quick: the atlas is deformed and lesions are sampled."
  },
  "citation": {
    "text": "Cerri S, Puonti O, Meier DS, et al. A contrast-adaptive method for simultaneous whole-brain and lesion segmentation in multiple sclerosis. NeuroImage 2021;225:117471.",
    "doi": "10.1016/j.neuroimage.2020.117471"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T1-w Gd",
    "T2-FLAIR"
  ],
  "classifier": "GMM",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t1gd"
      ],
      [
        "flair",
        "t1",
        "t2",
        "pd"
      ],
      [
        "flair",
        "t1",
        "t2"
      ],
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
      "frequency": {
        "default": 0.05,
        "description": "how often white matter is lesion, 0-1, on average over it; places differ as in the atlas of lesions",
        "type": "number",
        "minimum": 0.001,
        "maximum": 0.3
      },
      "strength": {
        "default": 500,
        "description": "pseudo-samples of 1 mm³ that tie the lesion Gaussian to white matter",
        "type": "number",
        "minimum": 1,
        "maximum": 1000000000
      },
      "inflation": {
        "default": 50,
        "description": "lesion variance that is expected, in variances of white matter",
        "type": "number",
        "minimum": 1,
        "maximum": 1000
      },
      "cohesion": {
        "default": 3,
        "description": "log-odds that a voxel with no lesion around loses against one with nothing else around",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "burnIn": {
        "default": 50,
        "description": "sweeps of the sampler that are not counted",
        "type": "integer",
        "minimum": 0,
        "maximum": 1000
      },
      "samples": {
        "default": 50,
        "description": "sweeps of the sampler that are averaged",
        "type": "integer",
        "minimum": 1,
        "maximum": 1000
      },
      "threshold": {
        "default": 0.3,
        "description": "lesion probability above which a voxel is lesion",
        "type": "number",
        "minimum": 0.01,
        "maximum": 1
      },
      "biasZero": {
        "default": 50,
        "description": "stiffness of the bias field: mm to the first zero of its low-pass filter",
        "type": "number",
        "minimum": 10,
        "maximum": 1000
      },
      "flairSign": {
        "default": 1,
        "description": "FLAIR of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either",
        "type": "integer",
        "minimum": -1,
        "maximum": 1
      },
      "t1Sign": {
        "default": 0,
        "description": "T1 of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either",
        "type": "integer",
        "minimum": -1,
        "maximum": 1
      },
      "t2Sign": {
        "default": 1,
        "description": "T2 of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either",
        "type": "integer",
        "minimum": -1,
        "maximum": 1
      },
      "pdSign": {
        "default": 1,
        "description": "PD of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either",
        "type": "integer",
        "minimum": -1,
        "maximum": 1
      },
      "t1gdSign": {
        "default": 0,
        "description": "T1 with gadolinium of lesions against the mean of cortex: 1 brighter, -1 darker, 0 either",
        "type": "integer",
        "minimum": -1,
        "maximum": 1
      }
    }
  }
},
{
  "id": "doyle2016",
  "title": "Weighted tissue model (P-LOCUS)",
  "describe": "A mixture of fluid, grey and white matter, smoothed by a Markov random field, gives each voxel a weight in each contrast: what no tissue explains weighs little. Bright voxels of low weight on FLAIR are candidates. A second run, in which they weigh much and have a class of their own, decides what is lesion.",
  "use": {
    "for": "Scans with FLAIR and any of T1 and T2, of clear lesions; it says for each contrast how far a voxel is from all tissues.",
    "not": "Not where false findings count: more than half of them are strips of cortex at the depths of frontal sulci and bands along the ventricles. Not for cortical or brainstem lesions, nor for faint ones no brighter than the brightest tenth of grey matter."
  },
  "citation": {
    "text": "Doyle S, Forbes F, Dojat M. Automatic multiple sclerosis lesion segmentation with P-LOCUS. In: Proceedings of the 1st MICCAI Challenge on Multiple Sclerosis Lesions Segmentation (MSSEG) 2016."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "T2-FLAIR"
  ],
  "classifier": "weighted Gaussian mixture",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "iterations": {
        "default": 15,
        "description": "most rounds of each of the two runs",
        "type": "integer",
        "minimum": 1,
        "maximum": 100
      },
      "smoothness": {
        "default": 0.5,
        "description": "log-odds that a certain neighbour adds to its own class (β of the random field)",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      },
      "weightCut": {
        "default": 0.7,
        "description": "candidates: weight on FLAIR below this part of the mean weight",
        "type": "number",
        "minimum": 0,
        "maximum": 2
      },
      "bright": {
        "default": 1.4,
        "description": "candidates: FLAIR above the mean of grey matter, in σ of a voxel of weight 1",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "lesionWeight": {
        "default": 10,
        "description": "expert weight of candidates in the second run",
        "type": "number",
        "minimum": 0.1,
        "maximum": 100
      },
      "lesionRate": {
        "default": 10,
        "description": "how firmly candidates keep it (γ of the Gamma distribution)",
        "type": "number",
        "minimum": 0.01,
        "maximum": 1000000
      },
      "tissueRate": {
        "default": 1000,
        "description": "how firmly all others keep weight 1 then (γ)",
        "type": "number",
        "minimum": 0.01,
        "maximum": 1000000
      },
      "elsewhere": {
        "default": 0.01,
        "description": "prior probability of the lesion class where there is no candidate",
        "type": "number",
        "minimum": 0,
        "maximum": 0.5
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "whiteAround": {
        "default": 0.4,
        "description": "part of the voxels around a finding that must be white matter",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallest": {
        "default": 9,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "hill2015",
  "title": "Clusters counted by the jump method, and contrast transformation",
  "describe": "The contrasts are taken as the colours of one picture. Rate–distortion theory says into how many clusters its flat parts fall, k-means finds them, and they are named fluid, grey and white matter. What is much brighter than grey matter is a lesion candidate; the mixture of the contrasts that best tells candidates from white matter, clustered once more around them, draws their borders.",
  "use": {
    "for": "FLAIR and T1, with moderate to high lesion loads; it says how many kinds of tissue the contrasts can tell apart.",
    "not": "Not for volumes: borders run far out around bright lesions, and large lesions little brighter than cortex are missed whole. Not for few and small lesions, nor for cortical ones; without FLAIR it takes rims of the ventricles for lesions."
  },
  "citation": {
    "text": "Hill J, Matlock K, Nutter B, Mitra S. Automated segmentation of MS lesions in MR images based on an information theoretic clustering and contrast transformations. Technologies 2015;3(2):142–161.",
    "doi": "10.3390/technologies3020142"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "2d",
  "modalities": [
    "T1-w",
    "T2-w",
    "PD-w"
  ],
  "classifier": "jump method clustering",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2",
        "pd"
      ],
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "fewest": {
        "default": 3,
        "description": "fewest clusters that are tried, a number",
        "type": "integer",
        "minimum": 1,
        "maximum": 8
      },
      "most": {
        "default": 8,
        "description": "most clusters that are tried, a number",
        "type": "integer",
        "minimum": 3,
        "maximum": 8
      },
      "flat": {
        "default": 0.8,
        "description": "fraction of the brain that is clustered, the steepest edges left out; 1 keeps them",
        "type": "number",
        "minimum": 0.2,
        "maximum": 1
      },
      "k": {
        "default": 2.5,
        "description": "candidates are brighter than the median of grey matter by this many of its sd",
        "type": "number",
        "minimum": 0.5,
        "maximum": 20
      },
      "refine": {
        "default": true,
        "description": "draw the borders of lesions on the transformed contrast",
        "type": "boolean"
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "shell": {
        "default": 0.5,
        "description": "without FLAIR: part of the voxels around a finding that must be of a white-matter cluster, 0–1",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallest": {
        "default": 15,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "knight2016",
  "title": "Fuzzy clustering and an edge model of partial volume on FLAIR",
  "describe": "From FLAIR alone, each intensity is given the fraction of lesion that it stands for. Intensities that are met mostly at edges are mixtures of brain and lesion, those met inside flat regions are pure; the fraction rises from brain to lesion with the edge strength on the way. Fuzzy c-means sharpens it where lesions form a cluster of their own. Voxels of more than half lesion are kept, and findings where FLAIR has its artefacts are dropped.",
  "use": {
    "for": "Scans with FLAIR alone, of moderate to high lesion loads, on slices of any thickness; one of the fastest methods.",
    "not": "Not for cortical or infratentorial lesions, nor for low loads: at 3 ml more than half of the findings are bands and horns of the ventricles, insula and temporal white matter, and below 1 ml all may be."
  },
  "citation": {
    "text": "Knight J, Khademi A. MS lesion segmentation using FLAIR MRI only. Proceedings of the 1st MICCAI Challenge on Multiple Sclerosis Lesions Segmentation (MSSEG). 2016:21–28."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T2-FLAIR"
  ],
  "classifier": "fuzzy clustering, edge model and threshold",
  "needs": {
    "contrasts": [
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
      "threshold": {
        "default": 0.5,
        "description": "lesion fraction from which a voxel is lesion, 0–1",
        "type": "number",
        "minimum": 0.05,
        "maximum": 0.95
      },
      "clusters": {
        "default": 4,
        "description": "clusters of the fuzzy c-means, a number",
        "type": "integer",
        "minimum": 3,
        "maximum": 6
      },
      "fuzzifier": {
        "default": 2,
        "description": "exponent m of the fuzzy c-means, softer when larger",
        "type": "number",
        "minimum": 1.1,
        "maximum": 5
      },
      "edgeSigma": {
        "default": 1,
        "description": "scale of the gradient, voxels (Gaussian σ)",
        "type": "number",
        "minimum": 0.3,
        "maximum": 3
      },
      "lesionPercentile": {
        "default": 99.9,
        "description": "percentile of FLAIR in white matter taken for pure lesion",
        "type": "number",
        "minimum": 95,
        "maximum": 100
      },
      "contrast": {
        "default": 4,
        "description": "pure lesion must lie this many σ of grey matter above its mode, else nothing is found",
        "type": "number",
        "minimum": 0,
        "maximum": 20
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
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
        "default": 0.7,
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
      },
      "rules": {
        "default": true,
        "description": "drop findings at the midline, the surface and below the tentorium",
        "type": "boolean"
      }
    }
  }
},
{
  "id": "roura2015",
  "title": "Two-level FLAIR threshold from the grey-matter peak (SLS)",
  "describe": "The peak of grey matter in the FLAIR histogram gives a mode and a width. Voxels far above it, inside white matter, are certain lesion; they grow into neighbouring voxels down to a second level, which lies between the white matter and the lesions of the scan itself. Small findings are dropped.",
  "use": {
    "for": "The default: fast, holds on scanners that nothing was chosen on, on FLAIR with or without T1, thin or thick slices.",
    "not": "Not for cortical or brainstem lesions, nor for those of a few voxels. With care on thick slices: bright bands along the ventricles that touch a lesion are taken along, and can be nearly as large as all lesions."
  },
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
      "preset": {
        "default": "tuned",
        "description": "tuned: this project's rules and the parameters below; paper: the two passes and values of the SLS toolbox",
        "type": "string",
        "enum": [
          "tuned",
          "paper"
        ]
      },
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
  "id": "roy2017",
  "title": "Adaptive background and global threshold, slice by slice",
  "describe": "A background is made for each slice from the tissue around each voxel. What stands out from it by more than one threshold, the same for the whole scan, in every bright contrast (on FLAIR alone, where there is one) is a candidate. Candidates too small, thin as a thread, or at the brain’s border are dropped; a scan in which none is left is called negative.",
  "use": {
    "for": "FLAIR of slices of any thickness, of focal lesions in white matter, when one threshold should explain every voxel.",
    "not": "Not for cortical or brainstem lesions, for small ones on thick slices, where more were missed than found, nor for confluent lesions wider than their surroundings. The fornix, horns of the ventricles, insula and cingulate cortex come in; without FLAIR it needs T1."
  },
  "citation": {
    "text": "Roy S, Bhattacharyya D, Bandyopadhyay SK, Kim T-H. An effective method for computerized prediction and segmentation of multiple sclerosis lesions in brain MRI. Computer Methods and Programs in Biomedicine 2017;140:307–320.",
    "doi": "10.1016/j.cmpb.2017.01.003"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "2d",
  "modalities": [
    "T1-w",
    "T2-w",
    "PD-w"
  ],
  "classifier": "thresholding",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2",
        "pd"
      ],
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "k": {
        "default": 2.5,
        "description": "threshold: mean of the foreground plus this many of its sd",
        "type": "number",
        "minimum": 0.5,
        "maximum": 10
      },
      "background": {
        "default": "mean",
        "description": "how the background is made from a slice",
        "type": "string",
        "enum": [
          "mean",
          "opening"
        ]
      },
      "backgroundSigma": {
        "default": 12,
        "description": "reach of the mean background in the slice, mm (Gaussian σ)",
        "type": "number",
        "minimum": 3,
        "maximum": 50
      },
      "backgroundRadius": {
        "default": 9,
        "description": "radius of the opening in the slice, mm",
        "type": "number",
        "minimum": 2,
        "maximum": 30
      },
      "median": {
        "default": 1.5,
        "description": "radius of the median filter in the slice, mm",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      },
      "agree": {
        "default": 0,
        "description": "beside FLAIR: threshold in T2 or PD, mean of the foreground plus this many of its sd",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "grey": {
        "default": 1.5,
        "description": "a lesion is brighter than the median of grey matter by this many of its sd",
        "type": "number",
        "minimum": -10,
        "maximum": 10
      },
      "dark": {
        "default": 1,
        "description": "without FLAIR: a lesion is darker than white matter on T1 by this many of its sd",
        "type": "number",
        "minimum": -10,
        "maximum": 10
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallestArea": {
        "default": 4,
        "description": "smallest finding in a slice, mm²",
        "type": "number",
        "minimum": 0,
        "maximum": 100
      },
      "smallest": {
        "default": 15,
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
  "use": {
    "for": "To compare with the many studies that used LST; scans whose lesions are clearly brighter than grey matter.",
    "not": "Not across scanners with one κ, which lets lesions grow far beyond their borders on one and misses small ones and large faint ones on another: choose it on a few scans of each. Not for infratentorial lesions."
  },
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
      "seeds": {
        "default": "grey-and-white",
        "description": "tissue label of the voxels that may be seeds; grey in the toolbox, whose classes take lesions for it",
        "type": "string",
        "enum": [
          "grey-and-white",
          "grey"
        ]
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
      }
    }
  }
},
{
  "id": "schmidt2017",
  "title": "Lesion prediction algorithm (LST-LPA)",
  "describe": "Logistic regression on FLAIR alone: how much brighter a voxel is than white and grey matter, weighted by the white-matter atlas, and how often lesions lie at its place in other people. The probability is smoothed and cleaned near the outer surface of the brain.",
  "use": {
    "for": "Scans with FLAIR alone, of moderate to high lesion loads in white matter, on slices of any thickness.",
    "not": "Not for small lesions (most below 0.1 ml are missed), cortical or infratentorial ones, nor for scanners whose lesions are faint against grey matter: of 50 ml there, less than a third was found."
  },
  "citation": {
    "text": "Schmidt P. Bayesian inference for structured additive regression models for large-scale problems with applications to medical imaging. PhD thesis, Ludwig-Maximilians-Universität München, 2017.",
    "doi": "10.5282/edoc.20373"
  },
  "supervision": "supervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T2-FLAIR"
  ],
  "classifier": "logistic regression",
  "needs": {
    "contrasts": [
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
        "default": "schmidt2017",
        "description": "fitted coefficients: schmidt2017 for those of the package, else the folder of a model.json",
        "type": "string"
      },
      "threshold": {
        "default": 0.3,
        "description": "lesion probability from which a voxel is lesion",
        "type": "number",
        "minimum": 0.05,
        "maximum": 0.95
      },
      "outerMargin": {
        "default": 4,
        "description": "distance to the outer fluid within which nothing is lesion, mm; 0 keeps juxtacortical lesions",
        "type": "number",
        "minimum": 0,
        "maximum": 20
      },
      "smallest": {
        "default": 15,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "shiee2008",
  "title": "Topology-preserving fuzzy segmentation with a lesion class (Lesion-TOADS)",
  "describe": "Fuzzy clustering with neighbours and an atlas into fluid, grey and white matter, where lesions share the place of white matter but have an intensity of their own. Borders move from an atlas template to where the memberships are without changing the topology of ventricles, brain tissue and white matter; lesions are the voxels of white matter that belong more to the lesion intensity.",
  "use": {
    "for": "Scans with T1 and FLAIR where fluid, grey and white matter are wanted along with the lesions.",
    "not": "Not for cortical or infratentorial lesions: only cerebral white matter can hold them. On thick slices most small findings are rims of the ventricles, the fornix, temporal white matter and strips of frontal cortex; paler parts of confluent lesions are left out."
  },
  "citation": {
    "text": "Shiee N, Bazin PL, Pham DL. Multiple sclerosis lesion segmentation using statistical and topological atlases. MIDAS Journal, MS Lesion Segmentation Challenge 2008."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-FLAIR"
  ],
  "classifier": "topology-preserving fuzzy c-means",
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
      "smoothness": {
        "default": 0.03,
        "description": "cost of each neighbour of another structure (β), in squared ranges from fluid to tissue",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "atlasWeight": {
        "default": 0.2,
        "description": "cost of a place where the atlas has another structure (γ), in the same units",
        "type": "number",
        "minimum": 0,
        "maximum": 2
      },
      "lesionAbove": {
        "default": 0.75,
        "description": "least distance of the lesion centre above grey matter on FLAIR, in ranges from fluid to grey matter",
        "type": "number",
        "minimum": 0.05,
        "maximum": 2
      },
      "ventricleMargin": {
        "default": 3,
        "description": "distance to the ventricles within which lesion membership fades, mm",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "betweenVentricles": {
        "default": 4,
        "description": "half the width of gaps between ventricles in which nothing is lesion, mm; 0 allows it",
        "type": "number",
        "minimum": 0,
        "maximum": 20
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "rounds": {
        "default": 20,
        "description": "most rounds of memberships and centres",
        "type": "integer",
        "minimum": 1,
        "maximum": 100
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
  "id": "souplet2008",
  "title": "Tissue model with partial volume and an automatic FLAIR threshold",
  "describe": "Fluid, grey and white matter are told apart on T1 and T2, with a class of its own for voxels that hold both fluid and grey matter. The grey matter gives mean and spread on FLAIR; what is brighter than the mean by k standard deviations is a candidate, and candidates are kept where the tissue around is white matter.",
  "use": {
    "for": "Scans with FLAIR, T1 and, best, T2, where few lesions may be missed and someone looks the findings through.",
    "not": "Not where false findings count: up to three quarters are caps and bands along the ventricles and cortex of the insula, the cingulate gyrus and the depths of frontal sulci. Not for cortical or brainstem lesions."
  },
  "citation": {
    "text": "Souplet J-C, Lebrun C, Ayache N, Malandain G. An automatic segmentation of T2-FLAIR multiple sclerosis lesions. The MIDAS Journal – MICCAI 2008 MS Lesion Segmentation Challenge."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "T2-FLAIR"
  ],
  "classifier": "EM and thresholding",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "k": {
        "default": 2,
        "description": "threshold above the mean of grey matter on FLAIR, in its σ",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "trim": {
        "default": 0.05,
        "description": "share of the grey voxels, those farthest from the median, that mean and σ leave out",
        "type": "number",
        "minimum": 0,
        "maximum": 0.5
      },
      "smoothing": {
        "default": 0.6,
        "description": "smoothing of FLAIR, mm (Gaussian σ); not across thick slices",
        "type": "number",
        "minimum": 0,
        "maximum": 5
      },
      "enhance": {
        "default": true,
        "description": "toggle contrast: blurred edges of FLAIR become steps",
        "type": "boolean"
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "whiteAround": {
        "default": 0.3,
        "description": "part of the voxels around a finding that must hold white matter",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "border": {
        "default": 0.2,
        "description": "largest share of a finding at the border of the brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallest": {
        "default": 5,
        "description": "smallest lesion kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "subbanna2015",
  "title": "Iterative multilevel probabilistic graphical model (IMaGe)",
  "describe": "Two Markov random fields. In the first, voxels are fluid, grey matter, white matter or lesion by their intensities, their place, and how they differ from their neighbours. Connected candidates are the nodes of the second, which judges each by its intensities, its texture and what lies around it. Its verdict moves the prior of the voxels, and the two are repeated.",
  "use": {
    "for": "FLAIR with or without T1, from scanners like those it was fitted to; it says which regions it judged and how.",
    "not": "Not for volumes at low loads on thick slices: the whole outline of the ventricles may be taken for lesion, three times what is there. Not for infratentorial lesions. Where scans of your own with reference masks are at hand, a network fitted to them does better."
  },
  "citation": {
    "text": "Subbanna N, Precup D, Arnold D, Arbel T. IMaGe: iterative multilevel probabilistic graphical model for detection and segmentation of multiple sclerosis lesions in brain MRI. IPMI 2015, LNCS 9123:514–526.",
    "doi": "10.1007/978-3-319-19992-4_40"
  },
  "supervision": "supervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "PD-w",
    "T2-FLAIR"
  ],
  "classifier": "two-level MRF",
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
        "default": "subbanna2015",
        "description": "fitted model: subbanna2015 for the one of the package, else the folder of a model.json",
        "type": "string",
        "minLength": 1
      },
      "iterations": {
        "default": 3,
        "description": "rounds between the two levels; 0 leaves the voxel level alone",
        "type": "integer",
        "minimum": 0,
        "maximum": 10
      },
      "sweeps": {
        "default": 5,
        "description": "sweeps of the voxel level in each round",
        "type": "integer",
        "minimum": 1,
        "maximum": 50
      },
      "neighbourWeight": {
        "default": 0.15,
        "description": "what each of the six neighbours counts beside the voxel itself, 1 as much",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "differences": {
        "default": true,
        "description": "neighbours are compared in intensity too, and not in their labels only",
        "type": "boolean"
      },
      "cut": {
        "default": 0.25,
        "description": "belief in lesion from which a voxel is a candidate",
        "type": "number",
        "minimum": 0.01,
        "maximum": 0.9
      },
      "depth": {
        "default": 0.15,
        "description": "two peaks in a candidate are two regions if the FLAIR between them is darker by this, in white-matter levels",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "clamp": {
        "default": 100,
        "description": "most odds by which a round of the region level moves a voxel",
        "type": "number",
        "minimum": 1,
        "maximum": 1000
      },
      "threshold": {
        "default": 0.5,
        "description": "lesion probability from which a voxel is lesion",
        "type": "number",
        "minimum": 0.05,
        "maximum": 0.95
      },
      "smallest": {
        "default": 3,
        "description": "smallest lesion kept, mm³; 3 voxels at least",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "tomasfernandez2015",
  "title": "Model of population and subject intensities (MOPS)",
  "describe": "Each voxel is compared with two models of healthy tissue at once: the intensities of fluid, grey and white matter in the whole subject, and those of the same tissue at the same place. What neither explains, is bright on FLAIR and lies in white matter is lesion. No healthy population is shipped: the local model comes from the typical tissue around each voxel and on the other side of the brain.",
  "use": {
    "for": "Scans whose healthy tissue differs from place to place, as where white matter is brighter at the back of the brain.",
    "not": "Not for volumes of confluent lesions as grey as the cortex, which come out with holes, nor for cortical or brainstem lesions; on thick slices bands along the ventricles and the fornix come in. Not a replacement for the published method where a healthy population of the same scanner is at hand."
  },
  "citation": {
    "text": "Tomas-Fernandez X, Warfield SK. A model of population and subject (MOPS) intensities with application to multiple sclerosis lesion segmentation. IEEE Trans Med Imaging 2015;34:1349–1361. PMC4506921."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T1-w",
    "T2-w",
    "T2-FLAIR"
  ],
  "classifier": "MOPS",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "trim": {
        "default": 0.05,
        "description": "share of the voxels that the fits leave out",
        "type": "number",
        "minimum": 0,
        "maximum": 0.5
      },
      "window": {
        "default": 6,
        "description": "window of the local model, mm (Gaussian σ)",
        "type": "number",
        "minimum": 0.5,
        "maximum": 50
      },
      "shrink": {
        "default": 20,
        "description": "voxels that the covariance of the whole tissue counts for in the local one",
        "type": "number",
        "minimum": 0.1,
        "maximum": 10000
      },
      "tau": {
        "default": 0.05,
        "description": "a voxel of its own tissue is called an outlier with this chance",
        "type": "number",
        "minimum": 1e-12,
        "maximum": 0.5
      },
      "bright": {
        "default": 1.5,
        "description": "least FLAIR of a lesion above the grey-matter mode, in σ of its peak",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "brightT2": {
        "default": 1,
        "description": "least T2 of a lesion above the mean of white matter, in standard deviations",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "white": {
        "default": 0.6,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
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
      "border": {
        "default": 0.1,
        "description": "largest share of a finding at the border of the brain",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "smallest": {
        "default": 9,
        "description": "smallest lesion kept, mm³ (and three voxels)",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      }
    }
  }
},
{
  "id": "urien2016",
  "title": "Max-tree with a context criterion",
  "describe": "All connected bright regions of FLAIR, at all thresholds at once, form a tree. Of the regions that contain each other, the one that stands out most from a thin ring around it is kept, if its size, shape and place, and its T1 and T2 against those of the ring, are those of a lesion.",
  "use": {
    "for": "Scans with FLAIR alone or with T1 and T2, of any load: a lesion needs to stand out from its own surroundings, not from one threshold for the scan.",
    "not": "Not for cortical and brainstem lesions, nor for lesions that fade into bright surroundings, of which only the core is found. Look at findings in the septum, the genu, the tips of the ventricles, insula and cingulate gyrus: they are often none."
  },
  "citation": {
    "text": "Urien H, Buvat I, Rougon N, Bloch I. A 3D hierarchical multimodal detection and segmentation method for multiple sclerosis lesions in MRI. Proceedings of the MSSEG challenge, MICCAI 2016:69–74."
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "3d",
  "modalities": [
    "T2-FLAIR",
    "T1-w",
    "T2-w"
  ],
  "classifier": "max-tree",
  "needs": {
    "contrasts": [
      [
        "flair",
        "t1",
        "t2"
      ],
      [
        "flair",
        "t1"
      ],
      [
        "flair",
        "t2"
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
      "levels": {
        "default": 1024,
        "description": "levels of FLAIR that the tree is built from",
        "type": "integer",
        "minimum": 16,
        "maximum": 65536
      },
      "contrast": {
        "default": 1,
        "description": "least contrast with the ring: difference of the means over the root of the summed variances",
        "type": "number",
        "minimum": 0.1,
        "maximum": 20
      },
      "ring": {
        "default": 2.5,
        "description": "width of the ring around a region, mm",
        "type": "number",
        "minimum": 1,
        "maximum": 10
      },
      "brightness": {
        "default": 2,
        "description": "least mean FLAIR of a region above the median of grey matter, in robust σ of grey matter",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "persistence": {
        "default": 2,
        "description": "least height of the peak of a region above where it meets a higher one, in σ of the noise",
        "type": "number",
        "minimum": 0,
        "maximum": 50
      },
      "compactness": {
        "default": 0.05,
        "description": "least compactness: spread of a ball of the same volume over that of the region, 0–1",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "white": {
        "default": 0.5,
        "description": "least mean white-matter probability of the atlas in the ring, fluid left out, 0–1",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "border": {
        "default": 0.2,
        "description": "most of the surface of a region that may face the outside of the brain, 0–1",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "midline": {
        "default": 3,
        "description": "least mean distance of the voxels of a region from the midline of the atlas, mm",
        "type": "number",
        "minimum": 0,
        "maximum": 20
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
        "description": "smallest region kept, mm³",
        "type": "number",
        "minimum": 0,
        "maximum": 1000
      },
      "largest": {
        "default": 60000,
        "description": "largest region kept, mm³",
        "type": "number",
        "minimum": 100,
        "maximum": 500000
      }
    }
  }
},
{
  "id": "weiss2013",
  "title": "Dictionary learning and sparse coding",
  "describe": "A small dictionary is learned from the patches of the scan itself, most of which show healthy tissue. Each patch is coded with few of its atoms; lesions are rare and badly represented. Bright regions in white matter in which the error is large are lesions.",
  "use": {
    "for": "Seeing where a scan differs from its own healthy tissue: the error map needs no model of tissue or lesion. Loads above a few millilitres.",
    "not": "Not for volumes of confluent lesions as grey as the cortex, of which more than half is left out as rims and holes, nor where small lesions count, nor for cortical and brainstem ones. On thick slices half of the findings are strips of frontal cortex and bands along the ventricles."
  },
  "citation": {
    "text": "Weiss N, Rueckert D, Rao A. Multiple sclerosis lesion segmentation using dictionary learning and sparse coding. MICCAI 2013, LNCS 8149:735–742.",
    "doi": "10.1007/978-3-642-40811-3_92"
  },
  "supervision": "unsupervised",
  "strategy": "statistical",
  "handling": "2d",
  "modalities": [
    "T1-w",
    "T2-w"
  ],
  "classifier": "sparse coding",
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
      "radius": {
        "default": 2,
        "description": "half the width of a patch, voxels: 2 is 5 × 5 voxels of a slice",
        "type": "integer",
        "minimum": 1,
        "maximum": 5
      },
      "constant": {
        "default": 2,
        "description": "constant that each patch holds beside its voxels, in σ of the brain: 0 codes patterns of any brightness alike",
        "type": "number",
        "minimum": 0,
        "maximum": 10
      },
      "atoms": {
        "default": 50,
        "description": "atoms of the dictionary; too many, and lesions are represented too",
        "type": "integer",
        "minimum": 2,
        "maximum": 500
      },
      "sparsity": {
        "default": 1,
        "description": "most atoms in the code of a patch",
        "type": "integer",
        "minimum": 1,
        "maximum": 20
      },
      "passes": {
        "default": 15,
        "description": "passes over the learning patches",
        "type": "integer",
        "minimum": 1,
        "maximum": 100
      },
      "samples": {
        "default": 10000,
        "description": "patches that the dictionary is learned from",
        "type": "integer",
        "minimum": 100,
        "maximum": 100000
      },
      "brightness": {
        "default": 1.75,
        "description": "least FLAIR of lesion above the median of grey matter, in robust σ of grey matter",
        "type": "number",
        "minimum": -2,
        "maximum": 10
      },
      "share": {
        "default": 0.3,
        "description": "least part of a bright region in which the error is above its threshold, 0–1",
        "type": "number",
        "minimum": 0,
        "maximum": 1
      },
      "white": {
        "default": 0.75,
        "description": "smoothed white-matter probability of the atlas asked of a lesion voxel; 0 looks in the whole brain",
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
]

export const loaders: Readonly<Record<string, () => Promise<AnySegmentationMethod>>> = {
  nnunet: async () => (await import('./deep/nnunet.js')).nnunet,
  unet2d: async () => (await import('./deep/unet2d.js')).unet2d,
  unet3d: async () => (await import('./deep/unet3d.js')).unet3d,
  valverde2017: async () => (await import('./deep/valverde2017.js')).valverde2017,
  bricq2008: async () => (await import('./unsupervised/bricq2008.js')).bricq2008,
  catanese2015: async () => (await import('./unsupervised/catanese2015.js')).catanese2015,
  cerri2021: async () => (await import('./unsupervised/cerri2021.js')).cerri2021,
  doyle2016: async () => (await import('./unsupervised/doyle2016.js')).doyle2016,
  hill2015: async () => (await import('./unsupervised/hill2015.js')).hill2015,
  knight2016: async () => (await import('./unsupervised/knight2016.js')).knight2016,
  roura2015: async () => (await import('./unsupervised/roura2015.js')).roura2015,
  roy2017: async () => (await import('./unsupervised/roy2017.js')).roy2017,
  schmidt2012: async () => (await import('./unsupervised/schmidt2012.js')).schmidt2012,
  schmidt2017: async () => (await import('./unsupervised/schmidt2017.js')).schmidt2017,
  shiee2008: async () => (await import('./unsupervised/shiee2008.js')).shiee2008,
  souplet2008: async () => (await import('./unsupervised/souplet2008.js')).souplet2008,
  subbanna2015: async () => (await import('./unsupervised/subbanna2015.js')).subbanna2015,
  tomasfernandez2015: async () => (await import('./unsupervised/tomasfernandez2015.js')).tomasfernandez2015,
  urien2016: async () => (await import('./unsupervised/urien2016.js')).urien2016,
  weiss2013: async () => (await import('./unsupervised/weiss2013.js')).weiss2013,
}
