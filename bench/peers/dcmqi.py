"""Reads a segmentation and its measurement report with dcmqi (Herz et al. 2017) and holds them against the objects themselves.

    .venv-dicom/bin/python dcmqi.py FOLDER_OF_OBJECTS

Prints voxels by segment and measurements as dcmqi has them; exits 1 where voxels differ from the pixels of the object.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import pydicom

folder = sys.argv[1]
tools = os.path.dirname(sys.executable)


def run(tool, *arguments):
    subprocess.run([os.path.join(tools, tool), *arguments], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def voxels_of(path):
    data = gzip.open(path).read()
    offset = int(np.frombuffer(data, "<f4", 1, 108)[0])
    kind = {2: "<u1", 4: "<i2", 512: "<u2"}[int(np.frombuffer(data, "<i2", 1, 70)[0])]
    return int((np.frombuffer(data[offset:], kind) != 0).sum())


said = {}
wrong = False
with tempfile.TemporaryDirectory() as place:
    path = os.path.join(folder, "seg_lesions.dcm")
    if os.path.exists(path):
        run("segimage2itkimage", "--inputDICOM", path, "--outputDirectory", place, "--outputType", "nii")
        seg = pydicom.dcmread(path)
        frames = seg.pixel_array.reshape(-1, seg.Rows, seg.Columns)
        owner = [
            item.SegmentIdentificationSequence[0].ReferencedSegmentNumber
            for item in seg.PerFrameFunctionalGroupsSequence
        ]
        said["segments"] = {}
        for segment in seg.SegmentSequence:
            own = sum(int((frames[i] != 0).sum()) for i, n in enumerate(owner) if n == segment.SegmentNumber)
            theirs = voxels_of(os.path.join(place, f"{segment.SegmentNumber}.nii.gz"))
            said["segments"][segment.SegmentLabel] = theirs
            wrong = wrong or own != theirs
    report = os.path.join(place, "report.json")
    run("tid1500reader", "--inputDICOM", os.path.join(folder, "sr_measurements.dcm"), "--outputMetadata", report)
    with open(report) as file:
        said["measures"] = {
            group["TrackingIdentifier"]: {
                item["quantity"]["CodeMeaning"]: float(item["value"]) for item in group["measurementItems"]
            }
            for group in json.load(file)["Measurements"]
        }
print(("WRONG " if wrong else "") + "dcmqi: " + json.dumps(said))
sys.exit(1 if wrong else 0)
