"""Scores of a pair of masks by programs that others use.

in:  {"reference": path, "candidate": path, "threads": n, "repeats": n, "tools": [names]}
out: {"tools": {name: {"seconds": [each repeat], "values": {measure: value}} or {"failed": message}}, "versions": {...}}

Only the scoring is timed, on arrays in memory; each tool as its own documentation uses it, with voxel sizes given.
"""

import json
import os
import sys
import time
import warnings

job = json.load(sys.stdin)
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = str(job["threads"])
os.environ["PANOPTICA_CITATION_REMINDER"] = "false"
warnings.filterwarnings("ignore")
output = os.dup(1)  # panoptica prints; its words must not mix with ours
os.dup2(2, 1)

from importlib.metadata import version

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(job["threads"])
reference_image, candidate_image = (sitk.Cast(sitk.ReadImage(job[role]) > 0, sitk.sitkUInt8) for role in ("reference", "candidate"))
reference, candidate = (sitk.GetArrayFromImage(image).astype(bool) for image in (reference_image, candidate_image))
spacing = tuple(reversed(reference_image.GetSpacing()))


def medpy():
    from medpy.metric import binary as b

    return {
        "dice": b.dc(candidate, reference),
        "jaccard": b.jc(candidate, reference),
        "precision": b.precision(candidate, reference),
        "sensitivity": b.recall(candidate, reference),
        "specificity": b.specificity(candidate, reference),
        "surface hausdorff": b.hd(candidate, reference, spacing),
        "pooled hd95": b.hd95(candidate, reference, spacing),
        "assd": b.assd(candidate, reference, spacing),
        "one-to-one tpr (26)": b.obj_tpr(candidate, reference, connectivity=3),
        "one-to-one fpr (26)": b.obj_fpr(candidate, reference, connectivity=3),
    }


def surface_distance():
    import surface_distance as s

    d = s.compute_surface_distances(reference, candidate, spacing)
    return {
        "dice": s.compute_dice_coefficient(reference, candidate),
        "mean surface distance (areas)": float(np.mean(s.compute_average_surface_distance(d))),
        "surface hausdorff (areas)": s.compute_robust_hausdorff(d, 100),
        "hd95 (areas)": s.compute_robust_hausdorff(d, 95),
        "surface dice 1 mm (areas)": s.compute_surface_dice_at_tolerance(d, 1),
        "surface dice 2 mm (areas)": s.compute_surface_dice_at_tolerance(d, 2),
    }


def panoptica(global_metrics):
    from panoptica import ConnectedComponentsInstanceApproximator, InputType, Metric, NaiveThresholdMatching, Panoptica_Evaluator

    evaluator = Panoptica_Evaluator(
        expected_input=InputType.SEMANTIC,
        instance_approximator=ConnectedComponentsInstanceApproximator(),
        instance_matcher=NaiveThresholdMatching(matching_threshold=0.5),
        instance_metrics=[Metric.DSC, Metric.IOU, Metric.RVD],
        global_metrics=[Metric.DSC, *([Metric.ASSD, Metric.HD, Metric.HD95] if global_metrics else [])],
    )
    found = evaluator.evaluate(candidate.astype(np.uint8), reference.astype(np.uint8), voxelspacing=spacing)
    result = found.get("ungrouped", None) if isinstance(found, dict) else found
    if isinstance(result, tuple):
        result = result[0]
    keys = {"global_bin_dsc": "dice", "pq": "pq (26)", "sq": "sq (26)", "rq": "rq (26)"}
    if global_metrics:
        keys |= {"global_bin_assd": "mean surface distance", "global_bin_hd": "surface hausdorff", "global_bin_hd95": "pooled hd95"}
    return {ours: float(getattr(result, theirs)) for theirs, ours in keys.items()}


def itk_filters():
    overlap = sitk.LabelOverlapMeasuresImageFilter()
    overlap.Execute(reference_image, candidate_image)
    hausdorff = sitk.HausdorffDistanceImageFilter()
    hausdorff.Execute(reference_image, candidate_image)
    return {
        "dice": overlap.GetDiceCoefficient(),
        "jaccard": overlap.GetJaccardCoefficient(),
        "hausdorff": hausdorff.GetHausdorffDistance(),
    }


def itk_surfaces():
    """The usual recipe: distance maps of both contours, read at each other's contour."""
    contours = [sitk.LabelContour(image) for image in (reference_image, candidate_image)]
    maps = [sitk.Abs(sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)) for image in contours]
    c, d = [sitk.GetArrayViewFromImage(image) for image in contours], [sitk.GetArrayViewFromImage(image) for image in maps]
    from_reference, from_candidate = d[1][c[0] != 0], d[0][c[1] != 0]
    both = np.concatenate((from_reference, from_candidate))
    return {
        "assd": float(both.mean()),
        "mean surface distance": float((from_reference.mean() + from_candidate.mean()) / 2),
        "hd95": float(max(np.percentile(from_reference, 95), np.percentile(from_candidate, 95))),
    }


def scikit_image():
    from skimage.measure import label
    from skimage.metrics import hausdorff_distance

    both = np.logical_and(reference, candidate)
    lesions, found = label(reference, connectivity=2), label(candidate, connectivity=2)
    n, m = lesions.max(), found.max()
    return {
        "dice": 2 * both.sum() / (reference.sum() + candidate.sum()),
        "hausdorff": float(hausdorff_distance(reference, candidate)) if len(set(spacing)) == 1 and spacing[0] == 1 else None,
        "ltpr (18)": len(set(np.unique(lesions[both])) - {0}) / n,
        "lfpr (18)": 1 - len(set(np.unique(found[both])) - {0}) / m,
    }


def scipy_code():
    """scipy.ndimage as in many a paper's repository: eroded borders, two distance transforms of the whole image."""
    ball = ndimage.generate_binary_structure(3, 1)
    borders = [mask & ~ndimage.binary_erosion(mask, ball) for mask in (reference, candidate)]
    maps = [ndimage.distance_transform_edt(~border, sampling=spacing) for border in borders]
    from_reference, from_candidate = maps[1][borders[0]], maps[0][borders[1]]
    both = np.concatenate((from_reference, from_candidate))
    return {
        "assd": float(both.mean()),
        "surface hausdorff": float(both.max()),
        "hd95": float(max(np.percentile(from_reference, 95), np.percentile(from_candidate, 95))),
        "surface dice 1 mm": float((both <= 1).mean()),
        "surface dice 2 mm": float((both <= 2).mean()),
    }


tools = {
    "MedPy": medpy,
    "surface-distance": surface_distance,
    "panoptica": lambda: panoptica(False),
    "panoptica, global": lambda: panoptica(True),
    "SimpleITK filters": itk_filters,
    "SimpleITK surfaces": itk_surfaces,
    "scikit-image": scikit_image,
    "scipy": scipy_code,
}
answers = {}
for name in job["tools"]:
    try:
        seconds = []
        for _ in range(job["repeats"]):
            started = time.perf_counter()
            values = tools[name]()
            seconds.append(time.perf_counter() - started)
        answers[name] = {"seconds": seconds, "values": {key: None if v is None else float(v) for key, v in values.items()}}
    except Exception as error:
        answers[name] = {"failed": f"{type(error).__name__}: {error}"}
packages = ["numpy", "scipy", "scikit-image", "SimpleITK", "MedPy", "panoptica", "surface-distance"]
os.write(output, json.dumps({"tools": answers, "versions": {name: version(name) for name in packages}}).encode())
