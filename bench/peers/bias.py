"""N4 of ITK (SimpleITK) and of ANTs (antspyx) on the files of bench/bias.ts; the job and the answer are JSON.

Job: image, mask (paths), out (folder), threads, levels, iterations, tolerance, shrink, ants (whether to run it too).
Writes itk.nii and ants.nii, the natural logarithm of each field on the image's grid; answers seconds and versions.
"""

import json
import os
import sys
import time

job = json.load(sys.stdin)
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(job["threads"])

import SimpleITK as sitk

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job["threads"])
image = sitk.ReadImage(job["image"], sitk.sitkFloat32)
mask = sitk.ReadImage(job["mask"], sitk.sitkUInt8)
seconds = {}
versions = {"SimpleITK": sitk.Version.VersionString()}

started = time.perf_counter()
factor = [job["shrink"]] * 3
corrector = sitk.N4BiasFieldCorrectionImageFilter()
corrector.SetMaximumNumberOfIterations([job["iterations"]] * job["levels"])
corrector.SetConvergenceThreshold(job["tolerance"])
corrector.SetNumberOfControlPoints(4)
corrector.SetNumberOfThreads(job["threads"])
corrector.Execute(sitk.Shrink(image, factor), sitk.Shrink(mask, factor))
field = corrector.GetLogBiasFieldAsImage(image)
corrected = image / sitk.Exp(field)
seconds["ITK N4"] = time.perf_counter() - started
sitk.WriteImage(sitk.Cast(field, sitk.sitkFloat32), os.path.join(job["out"], "itk.nii"))

if job["ants"]:
    import ants
    import numpy

    versions["antspyx"] = ants.__version__
    given, inside = ants.image_read(job["image"]), ants.image_read(job["mask"])
    started = time.perf_counter()
    found = ants.n4_bias_field_correction(
        given,
        mask=inside,
        shrink_factor=job["shrink"],
        convergence={"iters": [job["iterations"]] * job["levels"], "tol": job["tolerance"]},
        return_bias_field=True,
    )
    corrected = given / found
    seconds["ANTs N4"] = time.perf_counter() - started
    logs = given.new_image_like(numpy.log(numpy.maximum(found.numpy(), 1e-6)).astype("float32"))
    ants.image_write(logs, os.path.join(job["out"], "ants.nii"))

print(json.dumps({"seconds": seconds, "versions": versions}))
