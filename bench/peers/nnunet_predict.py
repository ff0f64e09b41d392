"""nnU-Net v2's own predictor on a case: {"model", "image" (float32, channels × z × y × x), "shape", "spacing", "mask", "runs"} from
standard input. Writes the labels (uint8) to `mask`, seconds and peak to standard output."""
import json
import resource
import sys
import time

import numpy as np

import nnunet_folders  # noqa: F401
import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

job = json.load(sys.stdin)
torch.set_num_threads(2)
# Its progress bars are not part of the answer.
out, sys.stdout = sys.stdout, sys.stderr
predictor = nnUNetPredictor(tile_step_size=0.5, use_gaussian=True, use_mirroring=True, perform_everything_on_device=False,
                            device=torch.device('cpu'), verbose=False, allow_tqdm=False)
predictor.initialize_from_trained_model_folder(job['model'], (0,), 'checkpoint_final.pth')
image = np.fromfile(job['image'], np.float32).reshape(job['shape'])
seconds = []
for _ in range(job['runs']):
    start = time.perf_counter()
    labels = predictor.predict_single_npy_array(image, {'spacing': job['spacing']}, None, None, False)
    seconds.append(time.perf_counter() - start)
labels.astype(np.uint8).tofile(job['mask'])
json.dump({'seconds': seconds, 'megabytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}, out)
