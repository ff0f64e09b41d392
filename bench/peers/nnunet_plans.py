"""nnU-Net v2's own fingerprint and plans. Reads a job on stdin, prints JSON.

  {"fingerprints": [{"dataset": {...}, "cases": [{"images": [file, ...], "labels": file}], "samples": n}],
   "plans": [{"name": ..., "planner": ..., "fingerprint": {...}, "dataset": {...}, "gigabytes": n or null}]}
  → {"version": ..., "fingerprints": [...], "plans": [...]}

With the argument `golden`: prints test/golden/nnunet/plans.json, plans for made-up fingerprints:

  .venv/bin/python nnunet_plans.py golden > ../../test/golden/nnunet/plans.json
  npx biome format --write ../../test/golden/nnunet/plans.json
"""
import contextlib
import io
import json
import os
import sys

import numpy as np

import nnunet_folders  # noqa: F401

from importlib.metadata import version

from nnunetv2.experiment_planning.dataset_fingerprint.fingerprint_extractor import DatasetFingerprintExtractor
from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import ExperimentPlanner
from nnunetv2.experiment_planning.experiment_planners.residual_unets import residual_encoder_unet_planners as residual
from nnunetv2.imageio.simpleitk_reader_writer import SimpleITKIO
from nnunetv2.utilities.json_export import recursive_fix_for_json_export

planners = {'ExperimentPlanner': ExperimentPlanner}
planners.update({name: getattr(residual, name) for name in
                 ('nnUNetPlannerResEncM', 'nnUNetPlannerResEncL', 'nnUNetPlannerResEncXL')})


def folder(root, name):
    path = os.path.join(os.environ['nnUNet_' + root], name)
    os.makedirs(path, exist_ok=True)
    return path


def fingerprint(number, job):
    """The extractor on the files as they lie, run in this process."""
    name = f'Dataset{500 + number}_Bench'
    images, labels = folder('raw', name + '/imagesTr'), folder('raw', name + '/labelsTr')
    for at, case in enumerate(job['cases']):
        for channel, file in enumerate(case['images']):
            os.symlink(file, f'{images}/case{at:03}_{channel:04}.nii.gz')
        os.symlink(case['labels'], f'{labels}/case{at:03}.nii.gz')
    with open(folder('raw', name) + '/dataset.json', 'w') as out:
        json.dump({**job['dataset'], 'numTraining': len(job['cases']), 'file_ending': '.nii.gz'}, out)
    extractor = DatasetFingerprintExtractor(name, 2)
    extractor.show_progress_bar = False
    if 'samples' in job:
        extractor.num_foreground_voxels_for_intensitystats = job['samples']
    return json.loads(json.dumps(extractor.run(), default=lambda value: value.tolist()))


def plan(job):
    name = job['name']
    raw, prepared = folder('raw', name), folder('preprocessed', name)
    folder('raw', name + '/imagesTr'), folder('raw', name + '/labelsTr')
    cases = len(job['fingerprint']['spacings'])
    with open(raw + '/dataset.json', 'w') as out:
        json.dump({**job['dataset'], 'numTraining': cases, 'file_ending': '.nii.gz'}, out)
    with open(prepared + '/dataset_fingerprint.json', 'w') as out:
        json.dump(job['fingerprint'], out)
    planner = planners[job['planner']]
    memory = {} if job.get('gigabytes') is None else {'gpu_memory_target_in_gb': job['gigabytes']}
    made = type(planner.__name__, (planner,), {'determine_reader_writer': lambda self: SimpleITKIO})(name, **memory)
    plans = made.plan_experiment()
    recursive_fix_for_json_export(plans)
    return plans


def made_up():
    """Fingerprints with odd spacings: isotropic, thick slices, one slice, large images (cascade), small ones."""
    random = np.random.default_rng(59)
    intensity = {'mean': 210.5, 'median': 200.0, 'std': 55.25, 'min': 1.0, 'max': 900.0, 'percentile_99_5': 420.0,
                 'percentile_00_5': 60.5}

    def fingerprint(cases, spacing, shape, size, channels, jitter=0.0):
        return {
            'spacings': [[float(s * (1 + jitter * random.uniform(-1, 1))) for s in spacing] for _ in range(cases)],
            'shapes_after_crop': [[int(round(n * (1 + jitter * random.uniform(-1, 1)))) for n in shape]
                                  for _ in range(cases)],
            'foreground_intensity_properties_per_channel': {str(c): intensity for c in range(channels)},
            'median_relative_size_after_cropping': size,
        }

    def dataset(channels, labels):
        return {'channel_names': {str(i): name for i, name in enumerate(channels)},
                'labels': {'background': 0, **{f'label{i}': i for i in range(1, labels)}}}

    one = ['FLAIR']
    return {
        'Dataset601_Hippocampus': (dataset(['MRI'], 3), fingerprint(260, (1, 1, 1), (36, 50, 35), 1.0, 1)),
        'Dataset602_Brats': (dataset(['FLAIR', 'T1w', 'T1gd', 'T2w'], 4),
                             fingerprint(484, (1, 1, 1), (138, 170, 138), 0.6, 4)),
        'Dataset603_Isbi': (dataset(['T1', 'T2', 'PD', 'FLAIR'], 2),
                            fingerprint(42, (1, 1, 1), (145, 180, 140), 0.5, 4)),
        'Dataset604_Slices': (dataset(one, 2), fingerprint(60, (3, 0.94, 0.94), (50, 210, 170), 0.9, 1)),
        'Dataset605_Phantom': (dataset(one, 2), fingerprint(20, (1, 1, 1), (32, 32, 32), 1.0, 1)),
        'Dataset606_Thick': (dataset(one, 2), fingerprint(9, (7, 0.9, 0.9), (19, 230, 190), 0.7, 1, 0.12)),
        'Dataset607_Sagittal': (dataset(one, 2), fingerprint(24, (0.9, 0.9, 5.1), (240, 231, 31), 0.7, 1, 0.07)),
        'Dataset608_CT': (dataset(['CT', 'noNorm', 'zscore', 'rescale_to_0_1'], 5),
                          fingerprint(31, (2.5, 0.77, 0.77), (180, 512, 512), 0.74, 4, 0.2)),
        'Dataset609_Fine': (dataset(one, 2), fingerprint(12, (0.3, 0.31, 0.29), (420, 610, 333), 1.0, 1, 0.1)),
        'Dataset610_Picture': (dataset(['R', 'G', 'B'], 2), fingerprint(100, (999, 1, 1), (1, 480, 640), 1.0, 3)),
        'Dataset611_Odd': (dataset(one, 3), fingerprint(7, (1.25, 0.62, 2.4), (101, 219, 77), 0.8, 1, 0.15)),
        'Dataset612_Long': (dataset(['zScore'], 2), fingerprint(15, (0.51, 0.51, 3.3), (350, 330, 48), 0.75, 1, 0.05)),
    }


def golden():
    jobs = []
    for name, (data, found) in made_up().items():
        for planner in planners if name[7:10] in ('603', '606', '608') else ('ExperimentPlanner',):
            jobs.append({'name': name, 'planner': planner, 'dataset': data, 'fingerprint': found})
    data, found = made_up()['Dataset605_Phantom']
    jobs.append({'name': 'Dataset605_Phantom', 'planner': 'ExperimentPlanner', 'dataset': data, 'fingerprint': found,
                 'gigabytes': 0.1})
    return {'plans': jobs}


def shortened(found):
    """One row in place of many equal ones, with their number."""
    rows = {key: found[key][:1] for key in ('spacings', 'shapes_after_crop')}
    same = all(found[key].count(row[0]) == len(found[key]) for key, row in rows.items())
    return {**found, **rows, 'cases': len(found['spacings'])} if same else found


def main():
    job = golden() if sys.argv[1:] == ['golden'] else json.load(sys.stdin)
    with contextlib.redirect_stdout(io.StringIO()):
        result = {
            'version': version('nnunetv2'),
            'fingerprints': [fingerprint(i, one) for i, one in enumerate(job.get('fingerprints', []))],
            'plans': [plan(one) for one in job.get('plans', [])],
        }
    if sys.argv[1:] == ['golden']:
        cases = [{**one, 'fingerprint': shortened(one['fingerprint']), 'plan': made}
                 for one, made in zip(job['plans'], result['plans'])]
        print('{"version": "%s", "cases": [\n%s\n]}' % (result['version'], ',\n'.join(json.dumps(c) for c in cases)))
    else:
        print(json.dumps(result))


# The extractor starts processes that load this file again.
if __name__ == '__main__':
    main()
