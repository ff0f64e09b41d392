"""ITK's own reading and writing of transforms, through SimpleITK: reads {files, points, folder} as JSON on stdin (points LPS mm),
prints where each file takes the points, and writes transforms of other kinds into the folder with where those take them."""
import json, sys
import SimpleITK as sitk

job = json.load(sys.stdin)
move = lambda t: [list(t.TransformPoint(p)) for p in job["points"]]
ours = [move(sitk.ReadTransform(f)) for f in job["files"]]

euler = sitk.Euler3DTransform((5, -7, 11), 0.3, -0.2, 0.5, (1, 2, 3))
zyx = sitk.Euler3DTransform(euler)
zyx.SetComputeZYX(True)
versor = sitk.VersorRigid3DTransform((0.2, 0.3, 0.9), 0.7, (4, -5, 6), (10, 20, -30))
similarity = sitk.Similarity3DTransform(1.1, (1, 0, 0.5), -0.4, (1, 2, 3), (-4, 5, 6))
affine = sitk.AffineTransform((1.1, 0.1, 0, -0.2, 0.9, 0.05, 0.1, 0, 1.05), (3, 4, 5), (7, 8, 9))
shift = sitk.TranslationTransform(3, (1, 2, 3))
theirs = []
for name, t in dict(euler=euler, zyx=zyx, versor=versor, similarity=similarity, affine=affine, shift=shift).items():
    for ending in ("txt", "tfm") + (("mat",) if name in ("affine", "euler") else ()):
        path = f"{job['folder']}/{name}.{ending}"
        sitk.WriteTransform(t, path)
        theirs.append({"path": path, "points": move(t)})
print(json.dumps({"ours": ours, "theirs": theirs}))
