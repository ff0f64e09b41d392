"""Where SimpleITK takes points: python points.py FIELD AFFINE POINTS

FIELD is a displacement field (.nii.gz), AFFINE an ITK text transform that follows it, POINTS a JSON file of points (LPS mm).
Prints the points after both as JSON.
"""

import json
import sys

import SimpleITK as sitk

field = sitk.DisplacementFieldTransform(sitk.ReadImage(sys.argv[1], sitk.sitkVectorFloat64))
# The one added last is applied first.
chain = sitk.CompositeTransform([sitk.ReadTransform(sys.argv[2]), field])
with open(sys.argv[3]) as file:
    points = json.load(file)
print(json.dumps([chain.TransformPoint(point) for point in points]))
