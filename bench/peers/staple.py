"""Golden numbers of SimpleITK's STAPLEImageFilter on made-up raters, for test/evaluate/consensus-staple.test.ts.

    python bench/peers/staple.py > test/evaluate/staple-itk.json

The raters are those of `madeUpRaters` in the test: balls moved and resized, with voxels flipped by a linear
congruential generator, on a grid of 20 x 18 x 16 voxels.
"""

import json
import sys

import numpy
import SimpleITK

DIMS = (20, 18, 16)
RATERS = [  # dx, radius, one voxel in so many is flipped
    (0, 5.0, 97),
    (1, 5.5, 61),
    (-1, 4.5, 83),
    (0, 6.2, 29),
    (3, 3.8, 11),
]


def made_up(count):
    state = 12345
    masks = []
    for dx, radius, rare in RATERS[:count]:
        mask = numpy.zeros(DIMS[::-1], numpy.uint8)
        for k in range(DIMS[2]):
            for j in range(DIMS[1]):
                for i in range(DIMS[0]):
                    state = state * 48271 % 2147483647
                    inside = (i - 9 - dx) ** 2 + (j - 8) ** 2 + (k - 8) ** 2 <= radius * radius
                    mask[k, j, i] = inside != (state % rare == 0)
        masks.append(mask)
    return masks


cases = []
for count in (3, 4, 5):
    masks = made_up(count)
    staple = SimpleITK.STAPLEImageFilter()
    staple.SetForegroundValue(1)
    staple.SetMaximumIterations(10000)
    soft = SimpleITK.GetArrayFromImage(staple.Execute([SimpleITK.GetImageFromArray(m) for m in masks]))
    cases.append(
        {
            "raters": count,
            "drawn": [int(m.sum()) for m in masks],
            "sensitivity": list(staple.GetSensitivity()),
            "specificity": list(staple.GetSpecificity()),
            "iterations": staple.GetElapsedIterations(),
            "lesion": int((soft > 0.5).sum()),
            "sum": float(soft.sum()),
            # The probability of every 97th voxel of those that somebody drew, x fastest.
            "sample": [float(v) for v in soft.ravel()[numpy.flatnonzero(sum(m.astype(int) for m in masks).ravel())][::97]],
        }
    )
json.dump({"made": "SimpleITK " + SimpleITK.Version_VersionString() + ", 2026-11-25", "cases": cases}, sys.stdout, indent=1)
print()
