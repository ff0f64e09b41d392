"""SyN (antspyx) on the files of bench/deformable.ts: python deformable.py FOLDER KIND THREADS

FOLDER holds fixed.nii.gz, moving.nii.gz, affine.txt (ITK, fixed to moving) and brain.nii.gz (of the fixed image).
KIND: SyN (mutual information, the default of ants.registration) or SyNCC (local correlation), both from the affine: writes
KIND-warp.nii.gz (ANTs' displacement field) and prints seconds of the registration alone, on the wall and of all processors,
as JSON. Or tissue: writes tissue.nii.gz, three classes of the fixed image by Atropos (k-means start, MRF 0.1; intensities cut
at their 99th percentile).
"""

import json
import os
import shutil
import sys
import time

folder, kind, threads = sys.argv[1], sys.argv[2], sys.argv[3]
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = threads
import ants
import numpy


def path(name):
    return os.path.join(folder, name)


def tissue():
    fixed = ants.image_read(path("fixed.nii.gz"))
    brain = ants.image_read(path("brain.nii.gz"))
    values = fixed.numpy()
    # A few bright vessels would make a class of their own.
    top = numpy.percentile(values[brain.numpy() > 0], 99)
    cut = fixed.new_image_like(numpy.minimum(values, top).astype("float32"))
    classes = ants.atropos(a=cut, x=brain, i="KMeans[3]", m="[0.1,1x1x1]", c="[5,0]")
    ants.image_write(classes["segmentation"], path("tissue.nii.gz"))


def syn():
    fixed = ants.image_read(path("fixed.nii.gz"))
    moving = ants.image_read(path("moving.nii.gz"))
    more = {"syn_metric": "CC", "syn_sampling": 4} if kind == "SyNCC" else {}
    wall, cpu = time.perf_counter(), time.process_time()
    result = ants.registration(
        fixed=fixed,
        moving=moving,
        type_of_transform="SyNOnly",
        initial_transform=[path("affine.txt")],
        outprefix=path("ants_"),
        **more,
    )
    seconds = {"seconds": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    warp = [name for name in result["fwdtransforms"] if name.endswith("Warp.nii.gz")][0]
    shutil.copy(warp, path(kind + "-warp.nii.gz"))
    print(json.dumps({"version": ants.__version__, **seconds}))


if kind == "tissue":
    tissue()
else:
    syn()
