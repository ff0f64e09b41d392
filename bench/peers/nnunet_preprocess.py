"""nnU-Net v2's own resampling, preprocessing, export and post-processing on made-up images. Prints
test/golden/nnunet/preprocess.json, arrays as base64 of float32 or uint8:

  .venv/bin/python nnunet_preprocess.py > ../../test/golden/nnunet/preprocess.json
  npx biome format --write ../../test/golden/nnunet/preprocess.json
"""
import base64
import contextlib
import io
import json

import numpy as np

import nnunet_folders  # noqa: F401

from nnunet_models import configuration, models
from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.inference.export_prediction import convert_predicted_logits_to_segmentation_with_correct_shape
from nnunetv2.postprocessing.remove_connected_components import remove_all_but_largest_component_from_segmentation
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.preprocessing.resampling.default_resampling import resample_data_or_seg_to_shape
from nnunetv2.utilities.plans_handling.plans_handler import PlansManager


def made(count, seed):
    """Numbers in [0, 1) that any language makes alike."""
    return ((np.arange(seed, seed + count, dtype=np.uint64) * np.uint64(2654435761)) % np.uint64(2 ** 32)
            / 2 ** 32).astype(np.float32)


def packed(array, kind=np.float32):
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def resampled(shape, to, spacing, target, order=3, order_z=0, force=None, labels=0):
    data = made(int(np.prod(shape)), 7).reshape(1, *shape)
    if labels:
        data = (data * labels).astype(np.int16)
    out = resample_data_or_seg_to_shape(data, to, spacing, target, is_seg=labels > 0, order=order, order_z=order_z,
                                        force_separate_z=force)
    kind = np.uint8 if labels else np.float32
    return {'shape': shape, 'to': to, 'spacing': spacing, 'target': target, 'order': order, 'order_z': order_z,
            'force': force, 'labels': labels, 'out': packed(out[0], kind)}


def head(shape, channels):
    """Zero outside an ellipsoid, with a hole of zeros in it."""
    grids = np.meshgrid(*[(np.arange(n) - n / 2 + 0.5) / n for n in shape], indexing='ij')
    inside = sum(g ** 2 for g in grids) < 0.17
    data = np.stack([100 + 50 * made(inside.size, 11 * (c + 1)).reshape(shape) for c in range(channels)])
    data[:, ~inside] = 0
    data[:, shape[0] // 2, shape[1] // 2 : shape[1] // 2 + 2, shape[2] // 2] = 0
    return data.astype(np.float32)


def case(name, shape, spacing, target, forward, schemes, masked, labels, order=None):
    flat = len(target) == 2
    config = configuration([16] * len(target), target, models['flat' if flat else 'full'][5], len(schemes))
    config.update(normalization_schemes=schemes, use_mask_for_norm=masked)
    channel = {'mean': 120.0, 'median': 120.0, 'std': 12.0, 'min': 100.0, 'max': 150.0, 'percentile_99_5': 145.0,
               'percentile_00_5': 104.0}
    plans = {
        'transpose_forward': forward, 'transpose_backward': [forward.index(i) for i in range(3)],
        'foreground_intensity_properties_per_channel': {str(i): channel for i in range(len(schemes))},
        'configurations': {'c': config}, 'label_manager': 'LabelManager',
    }
    dataset = {'channel_names': {str(i): 'x' for i in range(len(schemes))}, 'labels': labels,
               'regions_class_order': order, 'file_ending': '.nii.gz'}
    manager = PlansManager(plans)
    properties = {'spacing': spacing}
    data, _, properties = DefaultPreprocessor(verbose=False).run_case_npy(
        head(shape, len(schemes)), None, properties, manager, manager.get_configuration('c'), dataset)
    label_manager = manager.get_label_manager(dataset)
    heads = label_manager.num_segmentation_heads
    logits = 6 * made(heads * data[0].size, 5).reshape(heads, *data.shape[1:]) - 3
    found, probabilities = convert_predicted_logits_to_segmentation_with_correct_shape(
        logits.astype(np.float32), manager, manager.get_configuration('c'), label_manager, properties,
        return_probabilities=True, num_threads_torch=1)
    if order is None:
        del dataset['regions_class_order']
    return {'name': name, 'shape': shape, 'spacing': spacing, 'plans': plans, 'dataset': dataset,
            'preparedShape': list(data.shape[1:]), 'prepared': packed(data), 'labels': packed(found, np.uint8),
            'probabilities': packed(probabilities)}


def foreground(shapes, samples):
    """Intensity properties as the fingerprint has them, of cases whose foreground is one voxel in five."""
    drawn = []
    for shape in shapes:
        data = head(shape, 2)
        mask = ((np.arange(data[0].size) % 5) == 1).reshape(1, *shape)
        drawn.append(DatasetFingerprintExtractor.collect_foreground_intensities(
            mask, data, num_samples=samples // len(shapes))[0])
    out = []
    for channel in range(2):
        values = np.concatenate([case[channel] for case in drawn])
        low, median, high = np.percentile(values, np.array((0.5, 50.0, 99.5)))
        out.append({'mean': float(values.astype(float).mean()), 'median': float(median),
                    'std': float(values.astype(float).std()), 'min': float(values.min()), 'max': float(values.max()),
                    'percentile_99_5': float(high), 'percentile_00_5': float(low)})
    return {'shapes': shapes, 'samples': samples, 'properties': out}


z, ct, no, rescaled = 'ZScoreNormalization', 'CTNormalization', 'NoNormalization', 'RescaleTo01Normalization'
two = {'background': 0, 'lesion': 1}
with contextlib.redirect_stdout(io.StringIO()):
    blobs = np.zeros((6, 9, 9), np.uint8)
    for at, value in (((1, 1, 1), 1), ((1, 2, 2), 2), ((2, 3, 3), 1), ((4, 7, 7), 1), ((4, 7, 8), 2), ((5, 8, 8), 2)):
        blobs[at] = value
    result = {
        'resampled': [
            resampled([9, 11, 8], [12, 7, 8], [1, 1, 1], [0.75, 1.6, 1]),
            resampled([9, 11, 8], [18, 22, 15], [2, 1, 1], [1, 0.5, 0.53], order=1),
            resampled([5, 12, 10], [11, 9, 14], [6.5, 0.9, 0.9], [3, 1.2, 0.65]),
            resampled([12, 10, 5], [9, 14, 5], [0.9, 0.9, 6.5], [1.2, 0.65, 6.5]),
            resampled([12, 5, 10], [9, 9, 14], [1, 1, 1], [1, 4, 1], order=1),
            resampled([6, 12, 10], [9, 12, 14], [4, 4, 1], [2, 4, 0.7]),
            resampled([7, 8, 9], [9, 5, 6], [1, 1.1, 1], [1, 1, 1], force=True, order_z=1),
            resampled([1, 12, 10], [1, 17, 6], [999, 1, 1], [999, 0.7, 1.6]),
            resampled([9, 10, 8], [13, 7, 11], [1, 1, 1], [0.7, 1.4, 0.7], order=1, labels=2),
            resampled([6, 10, 8], [9, 15, 16], [5, 1, 1], [3.3, 0.7, 0.5], order=1, labels=3),
        ],
        'cases': [
            case('full', [10, 14, 12], [1.5, 1.0, 1.2], [1.1, 1.3, 1.0], [0, 1, 2], [z, z], [True, False], two),
            case('thick', [14, 6, 12], [0.9, 5.0, 0.9], [4.0, 1.1, 0.8], [1, 0, 2], [z], [True],
                 {**two, 'other': 2}),
            case('flat', [5, 14, 12], [3.0, 1.0, 1.2], [0.8, 0.9], [0, 1, 2], [ct, rescaled, no], [False] * 3,
                 {'background': 0, 'whole': [1, 2], 'core': 2}, [1, 2]),
        ],
        'foreground': foreground([[10, 14, 12], [7, 9, 20]], 4000),
        'largest': {
            'shape': list(blobs.shape), 'blobs': packed(blobs, np.uint8),
            'both': packed(remove_all_but_largest_component_from_segmentation(blobs, [1, 2]), np.uint8),
            'second': packed(remove_all_but_largest_component_from_segmentation(blobs, 2), np.uint8),
        },
    }
print(json.dumps(result))
