"""SimpleITK's STAPLE and label voting: {"masks": [file, ...]} in, median ms of three runs and lesion voxels out."""

import json
import sys
import time

import SimpleITK

masks = [SimpleITK.ReadImage(name) for name in json.load(sys.stdin)["masks"]]


def staple():
    image_filter = SimpleITK.STAPLEImageFilter()
    image_filter.SetForegroundValue(1)
    soft = image_filter.Execute(masks)
    return SimpleITK.GetArrayViewFromImage(soft) > 0.5, image_filter.GetElapsedIterations()


def voting():
    return SimpleITK.GetArrayViewFromImage(SimpleITK.LabelVoting(masks, 0)) > 0, 1


rows = {}
for name, step in {"staple": staple, "majority": voting}.items():
    times = []
    for _ in range(3):
        started = time.perf_counter()
        lesion, iterations = step()
        times.append(1000 * (time.perf_counter() - started))
    rows[name] = {"ms": sorted(times)[1], "voxels": int(lesion.sum()), "iterations": iterations}
print(json.dumps({"name": "SimpleITK " + SimpleITK.Version_VersionString(), "rows": rows}))
