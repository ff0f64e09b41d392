"""Denoising of dipy and SimpleITK on the files of bench/denoise.ts; the job and the answer are JSON.

Job: image, mask (paths), out (folder), sigma, rician, threads, patch, block (radii), kappa, iterations, tools.
Writes one file a tool; answers seconds, the process's peak memory in MB after each (it only grows), and versions.
"""

import json
import os
import resource
import sys
import time

job = json.load(sys.stdin)
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(job["threads"])
os.environ["OMP_NUM_THREADS"] = str(job["threads"])

import dipy
import numpy
import SimpleITK as sitk
from dipy.denoise.nlmeans import nlmeans

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job["threads"])
image = sitk.ReadImage(job["image"], sitk.sitkFloat32)
values = numpy.ascontiguousarray(sitk.GetArrayFromImage(image))
mask = numpy.ascontiguousarray(sitk.GetArrayFromImage(sitk.ReadImage(job["mask"])) > 0)


def means(method):
    return nlmeans(
        values,
        job["sigma"],
        mask=mask,
        patch_radius=job["patch"],
        block_radius=job["block"],
        rician=job["rician"],
        num_threads=job["threads"],
        method=method,
    )


def diffusion(kind, step):
    filtered = getattr(sitk, kind)(image, step, job["conductance"], 1, job["iterations"])
    return sitk.GetArrayFromImage(filtered)


tools = {
    "dipy blockwise": lambda: means("blockwise"),
    "dipy classic": lambda: means("classic"),
    "ITK gradient": lambda: diffusion("GradientAnisotropicDiffusion", 0.0625),
    "ITK curvature": lambda: diffusion("CurvatureAnisotropicDiffusion", 0.0625),
}
seconds, megabytes = {}, {"before": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
for name in job["tools"]:
    started = time.perf_counter()
    result = tools[name]()
    seconds[name] = time.perf_counter() - started
    megabytes[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    output = sitk.GetImageFromArray(result.astype("float32"))
    output.CopyInformation(image)
    sitk.WriteImage(output, os.path.join(job["out"], name + ".nii"))
versions = {"dipy": dipy.__version__, "SimpleITK": sitk.Version.VersionString()}
print(json.dumps({"seconds": seconds, "megabytes": megabytes, "versions": versions}))
