"""Atropos (antspyx) on the files of bench/tissue.ts: python tissue.py FOLDER

FOLDER holds mask.nii.gz, one or more of t1.nii.gz and flair.nii.gz, and prior1.nii.gz (fluid), prior2 (grey), prior3
(white) unless there is no prior. Writes priors.nii.gz and kmeans.nii.gz (labels 1-3) and prints seconds as JSON.
The call is the usual one of the ANTs scripts: three classes, MRF 0.1 over 1x1x1, five iterations.
"""

import json
import os
import sys
import time

import ants
import numpy

folder = sys.argv[1]


def path(name):
    return os.path.join(folder, name + ".nii.gz")


mask = ants.image_read(path("mask"))
images = [ants.image_read(path(name)) for name in ("t1", "flair") if os.path.exists(path(name))]
priors = [ants.image_read(path(f"prior{k}")) for k in (1, 2, 3) if os.path.exists(path(f"prior{k}"))]
given = images if len(images) > 1 else images[0]

seconds = {}
for name, start in (("priors", priors), ("kmeans", "KMeans[3]")):
    if len(start) == 0:
        continue
    started = time.perf_counter()
    result = ants.atropos(a=given, x=mask, i=start, m="[0.1,1x1x1]", c="[5,0]", priorweight=0.25)
    seconds[name] = time.perf_counter() - started
    labels = result["segmentation"].numpy()
    ants.image_write(mask.new_image_like(numpy.rint(labels).astype("float32")), path(name))
print(json.dumps({"version": ants.__version__, "seconds": seconds}))
