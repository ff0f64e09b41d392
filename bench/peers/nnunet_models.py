"""Result folders of nnU-Net v2 with random weights, as its trainer lays them down, and what its network makes of them.

  .venv/bin/python nnunet_models.py FOLDER [NAME ...]

Writes for each model FOLDER/NAME/{plans.json, dataset.json, fold_0/checkpoint_final.pth} and beside them input.bin
(1 × channels × patch, float32) and logits.bin (the finest head of nnU-Net's own network). `tiny` is the fixture
of test/network/nnunet:

  .venv/bin/python nnunet_models.py ../../test/golden/nnunet tiny checkpoints
  npx biome format --write ../../test/golden/nnunet

`checkpoints` are two files for test/formats/torch-checkpoint.test.ts: tensors of all kinds, and a whole module.
"""
import json
import os
import sys

import numpy as np

import nnunet_folders  # noqa: F401
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

plain = 'dynamic_network_architectures.architectures.unet.PlainConvUNet'
residual = 'dynamic_network_architectures.architectures.unet.ResidualEncoderUNet'


def architecture(kind, features, kernels, strides, blocks, convolutions):
    axes = len(kernels[0])
    return {
        'network_class_name': kind,
        'arch_kwargs': {
            'n_stages': len(features), 'features_per_stage': features,
            'conv_op': f'torch.nn.modules.conv.Conv{axes}d', 'kernel_sizes': kernels, 'strides': strides,
            'n_conv_per_stage' if kind == plain else 'n_blocks_per_stage': blocks,
            'n_conv_per_stage_decoder': convolutions, 'conv_bias': True,
            'norm_op': f'torch.nn.modules.instancenorm.InstanceNorm{axes}d',
            'norm_op_kwargs': {'eps': 1e-5, 'affine': True}, 'dropout_op': None, 'dropout_op_kwargs': None,
            'nonlin': 'torch.nn.LeakyReLU', 'nonlin_kwargs': {'inplace': True},
        },
        '_kw_requires_import': ['conv_op', 'norm_op', 'dropout_op', 'nonlin'],
    }


def resampling(order, seg=False):
    return {'is_seg': seg, 'order': order, 'order_z': 0, 'force_separate_z': None}


def configuration(patch, spacing, net, channels):
    return {
        'data_identifier': 'nnUNetPlans', 'preprocessor_name': 'DefaultPreprocessor', 'batch_size': 2,
        'patch_size': patch, 'median_image_size_in_voxels': [float(n) for n in patch], 'spacing': spacing,
        'normalization_schemes': ['ZScoreNormalization'] * channels, 'use_mask_for_norm': [True] * channels,
        'resampling_fn_data': 'resample_data_or_seg_to_shape', 'resampling_fn_seg': 'resample_data_or_seg_to_shape',
        'resampling_fn_data_kwargs': resampling(3), 'resampling_fn_seg_kwargs': resampling(1, True),
        'resampling_fn_probabilities': 'resample_data_or_seg_to_shape',
        'resampling_fn_probabilities_kwargs': resampling(1), 'architecture': net, 'batch_dice': True,
    }


k3, k1, s1, s2 = [3, 3, 3], [1, 3, 3], [1, 1, 1], [2, 2, 2]
two, one = 'FLAIR T1w'.split(), ['FLAIR']
# Name → configuration, channels, labels, patch, spacing, network.
models = {
    'flat': ('2d', two, 2, [64, 48], [0.9, 0.9],
             architecture(plain, [8, 16, 32, 32], [[3, 3]] * 4, [[1, 1]] + [[2, 2]] * 3, [2] * 4, [2] * 3)),
    'full': ('3d_fullres', two, 2, [16, 48, 32], [3.0, 1.0, 1.0],
             architecture(plain, [8, 16, 24, 24], [k1, k3, k3, k3], [s1, [1, 2, 2], s2, s2], [2] * 4, [2] * 3)),
    'residual': ('3d_fullres', one, 3, [32, 32, 32], [1.0, 1.0, 1.0],
                 architecture(residual, [8, 16, 24, 24], [k3] * 4, [s1, s2, s2, [2, 2, 1]], [1, 3, 2, 2], [1] * 3)),
    'large': ('3d_fullres', two, 2, [64, 64, 64], [1.0, 1.0, 1.0],
              architecture(plain, [32, 64, 128, 256, 320], [k3] * 5, [s1] + [s2] * 4, [2] * 5, [2] * 4)),
    'tiny': ('3d_fullres', one, 2, [4, 8, 8], [3.0, 1.0, 1.0],
             architecture(residual, [2, 4], [k1, k3], [s1, [1, 2, 2]], [1, 2], [1])),
}


def write(folder, name):
    config, channels, labels, patch, spacing, net = models[name]
    path = f'{folder}/{name}'
    os.makedirs(path + '/fold_0', exist_ok=True)
    intensity = {'mean': 1.0, 'median': 1.0, 'std': 1.0, 'min': 0.0, 'max': 9.0, 'percentile_99_5': 8.0,
                 'percentile_00_5': 0.0}
    plans = {
        'dataset_name': 'Dataset700_Made', 'plans_name': 'nnUNetPlans',
        'original_median_spacing_after_transp': spacing if len(spacing) == 3 else [3.0, *spacing],
        'original_median_shape_after_transp': patch if len(patch) == 3 else [20, *patch],
        'image_reader_writer': 'SimpleITKIO', 'transpose_forward': [0, 1, 2], 'transpose_backward': [0, 1, 2],
        'configurations': {config: configuration(patch, spacing, net, len(channels))},
        'experiment_planner_used': 'ExperimentPlanner', 'label_manager': 'LabelManager',
        'foreground_intensity_properties_per_channel': {str(i): intensity for i in range(len(channels))},
    }
    dataset = {
        'channel_names': {str(i): channel for i, channel in enumerate(channels)},
        'labels': {'background': 0, **{f'label{i}': i for i in range(1, labels)}},
        'numTraining': 10, 'file_ending': '.nii.gz',
    }
    for file, content in (('plans', plans), ('dataset', dataset)):
        with open(f'{path}/{file}.json', 'w') as out:
            json.dump(content, out)

    torch.manual_seed(59)
    prepared = f"{os.environ['nnUNet_preprocessed']}/Dataset700_Made/nnUNetPlans"
    os.makedirs(prepared, exist_ok=True)
    # The trainer looks at what kind of file the data set is kept in.
    open(prepared + '/case.npz', 'w').close()
    trainer = nnUNetTrainer({**plans, 'continue_training': False}, config, 0, dataset, device=torch.device('cpu'))
    trainer.initialize()
    trainer.configure_rotation_dummyDA_mirroring_and_inital_patch_size()
    # Norms and biases start as ones and zeros, which would hide a mistake in them.
    with torch.no_grad():
        for parameter in trainer.network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn_like(parameter))
    image = torch.randn(1, len(channels), *patch)
    trainer.network.train()
    loss = sum(head.square().mean() for head in trainer.network(image))
    loss.backward()
    trainer.optimizer.step()
    for key, value in (('train_losses', np.float32(0.5)), ('val_losses', np.float32(0.4)), ('lrs', 0.01),
                       ('mean_fg_dice', np.float64(0.6)), ('dice_per_class_or_region', [np.float32(0.6)] * (labels - 1)),
                       ('epoch_start_timestamps', 1.0), ('epoch_end_timestamps', 2.0)):
        trainer.logger.log(key, value, 0)
    if name == 'tiny':
        # Momentum doubles the file.
        trainer.optimizer.state.clear()
    trainer.save_checkpoint(path + '/fold_0/checkpoint_final.pth')

    trainer.network.eval()
    trainer.set_deep_supervision_enabled(False)
    with torch.no_grad():
        logits = trainer.network(image)
    image.numpy().tofile(path + '/input.bin')
    logits.numpy().tofile(path + '/logits.bin')
    parameters = sum(p.numel() for p in trainer.network.parameters())
    print(name, parameters, 'parameters', tuple(logits.shape), 'largest', float(logits.abs().max()))


def write_checkpoints(folder):
    values = torch.arange(12.0) / 4 - 1
    grid = values.reshape(3, 4)
    kinds = ('float64', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8')
    torch.save({
        'kinds': {kind: values.to(getattr(torch, kind)) for kind in kinds},
        'uint8': torch.tensor([0, 200], dtype=torch.uint8), 'bool': torch.tensor([True, False]),
        'small': torch.tensor([65504.0, -6e-8, 1e-4, float('inf')], dtype=torch.float16),
        'grid': grid, 'transposed': grid.T, 'column': grid[:, 1], 'block': grid[1:, 1:3], 'scalar': torch.tensor(2.5),
        'empty': torch.zeros(0, 3), 'parameter': torch.nn.Parameter(values[:2]),
        'plain': [None, True, 1, -70000, 2 ** 40, 2 ** 80, 1.5, 'text ä', (1, 2, 3, 4), {'a'}, {3: [4]}],
        'numpy': [np.float32(1), np.int64(2), np.arange(3.0), np.array(['x'])],
        'device': torch.device('cuda', 0), 'size': torch.Size([1, 2]),
    }, folder + '/tensors.pth')
    torch.save(torch.nn.Linear(2, 2), folder + '/module.pth')


if __name__ == '__main__':
    for name in sys.argv[2:] or [name for name in models if name != 'tiny']:
        write_checkpoints(sys.argv[1]) if name == 'checkpoints' else write(sys.argv[1], name)
