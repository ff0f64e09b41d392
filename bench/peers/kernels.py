"""scipy.ndimage (one thread) on an image of the size of bench/kernels.ts: {"dims": [x, y, z]} in, median ms of three out."""

import json
import sys
import time

import numpy
import scipy
from scipy import ndimage

x, y, z = json.load(sys.stdin)["dims"]
image = numpy.random.default_rng(1).random((z, y, x), dtype=numpy.float32)
mask = ndimage.gaussian_filter(image, 3, mode="nearest", truncate=4) > 0.51
matrix = [[1, -0.05, 0], [0.05, 0.99, -0.1], [0, 0.1, 0.99]]


def resampled(order):
    return lambda: ndimage.affine_transform(image, matrix, offset=(1, 2, -3), order=order)


steps = {
    "Gaussian, 17 taps": lambda: ndimage.gaussian_filter(image, 2, mode="nearest", truncate=4),
    "nearest resampling": resampled(0),
    "linear resampling": resampled(1),
    "cubic B-spline resampling": resampled(3),
    "distance transform": lambda: ndimage.distance_transform_edt(~mask),
    "components, 18 neighbours": lambda: ndimage.label(mask, ndimage.generate_binary_structure(3, 2)),
}
ms = {}
for name, step in steps.items():
    times = []
    for _ in range(3):
        started = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - started))
    ms[name] = sorted(times)[1]
print(json.dumps({"name": f"scipy {scipy.__version__}", "ms": ms}))
