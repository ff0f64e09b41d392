# nibabel's own MGH header bytes for a small oblique int16 volume, and uint8/float32; printed as JSON.
import json, io, base64, numpy as np, nibabel as nib
out = {"about": "MGH files written by nibabel %s (test/golden/mgh.py); values: index modulo 251" % nib.__version__, "cases": []}
a = np.deg2rad(12)
R = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1.0]])
aff = np.eye(4); aff[:3, :3] = R @ np.diag([-1.0, 0.5, 3.0]); aff[:3, 3] = [11.5, -20.25, 7]
lia = np.array([[-1., 0, 0, 5], [0, 0, 1, -6], [0, -1, 0, 7], [0, 0, 0, 1]])
for name, dtype, affine in [("oblique int16", np.int16, aff), ("conformed uint8", np.uint8, lia), ("float32", np.float32, aff), ("int32", np.int32, lia)]:
    n = 4 * 3 * 5
    data = (np.arange(n) % 251).astype(dtype).reshape((4, 3, 5), order="F")
    img = nib.MGHImage(data, affine)
    bio = io.BytesIO(); fm = {"image": nib.FileHolder(fileobj=bio)}
    img.to_file_map(fm)
    out["cases"].append({"name": name, "dtype": np.dtype(dtype).name, "dims": [4, 3, 5], "affine": affine.reshape(-1).tolist(), "base64": base64.b64encode(bio.getvalue()).decode()})
print(json.dumps(out))
