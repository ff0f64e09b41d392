"""The peers of bench/unsupervised-peers.ts: python unsupervised.py, a job as JSON on standard input.

Jobs (`peer` names one, paths are files): `samseg` {inputs, pattern, folder, out}, `program` {command, out},
`higra` and `scikit-image` {levels, brain, smallest, out}, `mixture`, `k-means` and `fuzzy` {channels, brain, …}.
Prints one line of JSON: seconds, processor seconds, peak megabytes of the process, version, and what the job is about.
"""

import json
import os
import resource
import subprocess
import sys
import time
from importlib.metadata import version

THREADS = "2"
os.environ.update(OMP_NUM_THREADS=THREADS, OPENBLAS_NUM_THREADS=THREADS, TF_NUM_INTRAOP_THREADS=THREADS)
os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="")
job = json.load(sys.stdin)


def ran(command):
    """Runs a program to its end: seconds, processor seconds and peak megabytes of its own process."""
    with open(job["out"] + ".log", "w") as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
    if status != 0:
        raise RuntimeError(f"{command[0]} ended with status {status}: {log.name}")
    return {"seconds": seconds, "cpu": used.ru_utime + used.ru_stime, "mb": used.ru_maxrss / 1024}


def samseg():
    import nibabel
    import numpy
    import surfa

    command = [os.path.join(os.path.dirname(sys.executable), "run_samseg"), "--input", *job["inputs"], "--lesion"]
    command += ["--lesion-mask-pattern", *map(str, job["pattern"]), "--threshold", "0.3", "--pallidum-separate"]
    measured = ran([*command, "--threads", THREADS, "--output", job["folder"]])
    labels = surfa.load_volume(os.path.join(job["folder"], "seg.mgz"))
    reference = nibabel.load(job["inputs"][-1])
    grid = surfa.load_volume(job["inputs"][-1])
    found = labels.resample_like(grid, method="nearest").data.squeeze() == 99
    nibabel.save(nibabel.Nifti1Image(found.astype(numpy.uint8), reference.affine), job["out"])
    return {**measured, "version": version("samseg")}


def program():
    return ran(job["command"])


def voxels(path):
    import nibabel
    import numpy

    return numpy.asarray(nibabel.load(path).dataobj)


def fastest(work, times=3):
    """The last result, and the least seconds of a few runs."""
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        result = work()
        seconds.append(time.perf_counter() - started)
    return result, min(seconds)


def kept_levels(result):
    import nibabel
    import numpy

    like = nibabel.load(job["levels"])
    nibabel.save(nibabel.Nifti1Image(result.astype(numpy.uint16), like.affine), job["out"])


def higra():
    import higra as hg
    import numpy

    levels = numpy.ascontiguousarray(voxels(job["levels"]).astype(numpy.uint16))
    faces = [(-1, 0, 0), (0, -1, 0), (0, 0, -1), (0, 0, 1), (0, 1, 0), (1, 0, 0)]

    def tree_of():
        graph = hg.get_nd_regular_implicit_graph(levels.shape, faces)
        return hg.component_tree_max_tree(graph, levels.ravel())

    (tree, altitudes), seconds = fastest(tree_of)

    def opened():
        area = hg.attribute_area(tree, vertex_area=numpy.ones(levels.size))
        return hg.reconstruct_leaf_data(tree, altitudes, area < job["smallest"])

    result, filtering = fastest(opened, 1)
    kept_levels(result.reshape(levels.shape))
    return {"seconds": seconds, "filtering": filtering, "nodes": tree.num_vertices() - levels.size, "version": version("higra")}


def scikit_image():
    import numpy
    import skimage
    from skimage.morphology import area_opening, max_tree

    levels = numpy.ascontiguousarray(voxels(job["levels"]).astype(numpy.uint16))
    (parent, order), seconds = fastest(lambda: max_tree(levels, connectivity=1))
    result, filtering = fastest(
        lambda: area_opening(levels, job["smallest"], connectivity=1, parent=parent, tree_traverser=order), 1
    )
    kept_levels(result)
    flat, up = levels.ravel(), parent.ravel()
    nodes = int((flat[up] != flat).sum()) + 1
    return {"seconds": seconds, "filtering": filtering, "nodes": nodes, "version": skimage.__version__}


def samples():
    import numpy

    inside = voxels(job["brain"]) != 0
    return numpy.stack([voxels(path)[inside].astype(numpy.float64) for path in job["channels"]], 1)


def an_iteration(fit):
    """Seconds of an iteration: those of `rounds` more than one, by their number; and the longer fit."""
    rounds = job["rounds"]
    _, once = fastest(lambda: fit(1))
    result, all_of_them = fastest(lambda: fit(1 + rounds))
    return result, (all_of_them - once) / rounds


def mixture():
    import warnings

    import numpy
    import sklearn
    from sklearn.mixture import GaussianMixture

    warnings.simplefilter("ignore")
    given = samples()
    start = job["start"]

    def fit(rounds):
        return GaussianMixture(
            len(start["means"]),
            tol=0,
            reg_covar=0,
            max_iter=rounds,
            init_params="random_from_data",
            weights_init=numpy.array(start["weights"]),
            means_init=numpy.array(start["means"]),
            precisions_init=numpy.linalg.inv(numpy.array(start["covariances"])),
        ).fit(given)

    model, seconds = an_iteration(fit)
    return {"seconds": seconds, "means": model.means_.tolist(), "version": sklearn.__version__}


def k_means():
    import numpy
    import sklearn
    from sklearn.cluster import KMeans

    given = samples() * numpy.array(job["scales"])
    classes = len(job["start"]["means"])
    model, seconds = fastest(
        lambda: KMeans(classes, n_init=job["restarts"], max_iter=60, tol=1e-6, random_state=1, algorithm="lloyd").fit(given)
    )
    means = sorted((model.cluster_centers_ / numpy.array(job["scales"])).tolist())
    distortion = model.inertia_ / given.size
    return {"seconds": seconds, "means": means, "distortion": distortion, "version": sklearn.__version__}


def fuzzy():
    import numpy
    import skfuzzy

    given = samples().T
    start = numpy.array([mean[0] for mean in job["start"]["means"]])
    away = numpy.abs(given - start[:, None])
    parts = 1 / numpy.fmax(away, 1e-12) ** 2
    parts /= parts.sum(0)

    def fit(rounds):
        return skfuzzy.cmeans(given, len(start), 2, error=0, maxiter=rounds, init=parts)[0]

    centres, seconds = an_iteration(fit)
    return {"seconds": seconds, "means": sorted(centres.tolist()), "version": version("scikit-fuzzy")}


jobs = {"samseg": samseg, "program": program, "higra": higra, "scikit-image": scikit_image}
jobs.update({"mixture": mixture, "k-means": k_means, "fuzzy": fuzzy})
answer = jobs[job["peer"]]()
answer.setdefault("mb", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
print(json.dumps(answer))
