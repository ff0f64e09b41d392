"""Golden numbers of the WMH 2017, MSSEG 2008 and ISBI 2015 protocols on made-up masks, for test/evaluate/golden.test.ts.

    python challenges.py wmhchallenge/evaluation.py > test/evaluate/golden/challenges.json

The argument is the organisers' program, https://github.com/hjkuijf/wmhchallenge, whose functions are run as they are.
"""
import datetime
import importlib.util
import json
import sys

import numpy as np
import scipy
import SimpleITK as sitk
from scipy.ndimage import generate_binary_structure, label
from scipy.spatial import cKDTree

spec = importlib.util.spec_from_file_location("evaluation", sys.argv[1])
wmh = importlib.util.module_from_spec(spec)
spec.loader.exec_module(wmh)

DIMS = (24, 20, 12)


class Uniform:
    """The minimal standard generator; test/evaluate/box-masks.ts draws the same numbers."""

    def __init__(self, seed):
        self.state = seed

    def __call__(self):
        self.state = self.state * 48271 % 2147483647
        return self.state / 2147483647

    def below(self, n):
        return int(self() * n)


def pair(seed):
    """Reference with labels 1 and 2, and a candidate that has most of it, moved, and boxes of its own; axes x, y, z."""
    u = Uniform(seed)
    reference, candidate = np.zeros(DIMS, np.uint8), np.zeros(DIMS, np.uint8)

    def box():
        start = [u.below(n) for n in DIMS]
        return start, [1 + u.below(5) for _ in DIMS]

    def fill(mask, start, size, value):
        at = tuple(slice(max(0, s), max(0, s + n)) for s, n in zip(start, size))
        mask[at] = value

    for n in range(7):
        start, size = box()
        fill(reference, start, size, 2 if n == 0 else 1)
        moved = [s + u.below(3) - 1 for s in start]
        if u() < 0.7:
            fill(candidate, moved, size, 1)
    for _ in range(3):
        fill(candidate, *box(), 1)
    return reference, candidate


def image(array, spacing):
    out = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    out.SetSpacing(spacing)
    return out


def wmh2017(reference, candidate, spacing):
    test = image((reference == 1).astype(np.uint8), spacing)
    result = image(((candidate > 0) & (reference != 2)).astype(np.uint8), spacing)
    recall, f1 = wmh.getLesionDetection(test, result)
    return {
        "dsc": wmh.getDSC(test, result),
        "h95": wmh.getHausdorff(test, result),
        "avd": wmh.getAVD(test, result),
        "recall": recall,
        "f1": f1,
    }


def surface_distance_2008(a, b, spacing):
    def border(mask):
        whole = image(mask.astype(np.uint8), spacing)
        eroded = sitk.BinaryErode(whole, (1, 1, 1), sitk.sitkBall, 0.0, 1.0, True)
        points = sitk.GetArrayFromImage(sitk.Subtract(whole, eroded)).transpose(2, 1, 0)
        if not points.any():
            points[1, 1, 1] = 1
        return np.argwhere(points) * np.array(spacing)

    p, q = border(a), border(b)
    return float(np.concatenate([cKDTree(q).query(p)[0], cKDTree(p).query(q)[0]]).mean())


def detection(reference, candidate):
    """LTPR and LFPR of 18-connected lesions, any overlap."""
    edges = generate_binary_structure(3, 2)
    r, nr = label(reference, edges)
    c, nc = label(candidate, edges)
    return len(set(r[candidate].ravel()) - {0}) / nr, (nc - len(set(c[reference].ravel()) - {0})) / nc


cases = []
for seed, spacing in [(11, (1, 1, 3)), (12, (1, 1, 1)), (13, (0.9, 1.1, 1.2)), (14, (0.5, 0.5, 4)), (15, (2, 1, 1))]:
    labels, candidate = pair(seed)
    a, b = labels == 1, candidate > 0
    ltpr, lfpr = detection(a, b)
    cases.append({
        "seed": seed,
        "voxelSizeMm": spacing,
        "referenceVoxels": int(a.sum()),
        "candidateVoxels": int(b.sum()),
        "wmh2017": wmh2017(labels, candidate, spacing),
        "surfaceDistance2008": surface_distance_2008(a, b, spacing),
        "surfaceDistance2008OfNothing": surface_distance_2008(a, np.zeros_like(b), spacing),
        "ltpr": ltpr,
        "lfpr": lfpr,
    })
made_with = f"bench/peers/challenges.py, SimpleITK {sitk.Version_VersionString()}, scipy {scipy.__version__}, numpy {np.__version__}"
print(json.dumps({"madeWith": made_with, "date": datetime.date.today().isoformat(), "cases": cases}, indent=1))
