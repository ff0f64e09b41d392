"""Reads the objects of `export-dicom` with highdicom and pydicom: dicom.py OBJECTS SOURCE. Prints one JSON object."""

import json
import sys
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom

objects, source = Path(sys.argv[1]), Path(sys.argv[2])
said = {}

seg = hd.seg.segread(objects / "seg_lesions.dcm")
instances = [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(source.rglob("*.dcm"))]
referenced = {uid for _, _, uid in seg.get_source_image_uids()} if hasattr(seg, "get_source_image_uids") else set()
known = {one.SOPInstanceUID for one in instances}
assert referenced <= known, "refers to images that are not there"
said["sourceImages"] = len(
    {
        item.SourceImageSequence[0].ReferencedSOPInstanceUID
        for frame in seg.PerFrameFunctionalGroupsSequence
        for item in frame.DerivationImageSequence
    }
)
said["segments"] = {}
points = []
for number in seg.segment_numbers:
    volume = seg.get_volume(segment_numbers=[number], combine_segments=True)
    inside = np.argwhere(volume.array > 0)
    said["segments"][seg.get_segment_description(number).segment_label] = len(inside)
    points.append(volume.map_indices_to_reference(inside))
said["middleLps"] = np.concatenate(points).mean(axis=0).tolist()

if (objects / "seg_probability.dcm").exists():
    fractional = hd.seg.segread(objects / "seg_probability.dcm")
    volume = fractional.get_volume(rescale_fractional=True)
    said["probability"] = {"most": float(volume.array.max()), "voxels": int((volume.array > 0).sum())}

report = hd.sr.srread(objects / "sr_measurements.dcm")
content = hd.sr.MeasurementReport.from_sequence([report]) if not hasattr(report.content, "get_volumetric_roi_measurement_groups") else report.content
said["measures"] = {}
for group in [
    *content.get_image_measurement_groups(),
    *content.get_volumetric_roi_measurement_groups(),
]:
    said["measures"][group.tracking_identifier] = {
        one.name.meaning: float(one.value) for one in group.get_measurements()
    }
print(json.dumps(said))
