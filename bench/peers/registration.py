"""Rigid registration by elastix and ANTs: reads {threads, ants, pairs: [{fixed, moving}]} as JSON on stdin, prints for each pair
and tool the map of fixed points to moving points (LPS mm, 4x4 by rows) and the seconds without reading the files."""
import json, os, sys, time

job = json.load(sys.stdin)
os.environ["ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"] = str(job["threads"])
real = os.dup(1)
os.dup2(2, 1)  # what the tools print belongs on stderr
import numpy as np, itk, ants, resource

itk.set_nthreads(job["threads"])


def euler(p, centre, zyx=False):
    ax, ay, az, *t = p
    c, s = np.cos, np.sin
    x = np.array([[1, 0, 0], [0, c(ax), -s(ax)], [0, s(ax), c(ax)]])
    y = np.array([[c(ay), 0, s(ay)], [0, 1, 0], [-s(ay), 0, c(ay)]])
    z = np.array([[c(az), -s(az), 0], [s(az), c(az), 0], [0, 0, 1]])
    return about(z @ y @ x if zyx else z @ x @ y, np.array(t), np.array(centre))


def about(m, t, centre):
    out = np.eye(4)
    out[:3, :3] = m
    out[:3, 3] = centre + t - m @ centre
    return out


results = []
for pair in job["pairs"]:
    fixed, moving = (itk.imread(pair[k], itk.F) for k in ("fixed", "moving"))
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("rigid"))
    start = time.time()
    _, found = itk.elastix_registration_method(fixed, moving, parameter_object=parameters, log_to_console=False)
    seconds = time.time() - start
    m = found.GetParameterMap(0)
    number = lambda key: [float(v) for v in m[key]]
    zyx = m["ComputeZYX"][0] == "true" if "ComputeZYX" in m else False
    elastix = euler(number("TransformParameters"), number("CenterOfRotationPoint"), zyx)
    one = {"elastix": {"map": elastix.ravel().tolist(), "seconds": seconds}}

    if not job["ants"]:
        results.append(one)
        continue
    fixed, moving = (ants.image_read(pair[k]) for k in ("fixed", "moving"))
    start = time.time()
    found = ants.registration(fixed, moving, type_of_transform="Rigid", random_seed=1)
    seconds = time.time() - start
    t = ants.read_transform(found["fwdtransforms"][0])
    p = t.parameters
    one["ants"] = {"map": about(p[:9].reshape(3, 3), p[9:], np.array(t.fixed_parameters)).ravel().tolist(), "seconds": seconds}
    results.append(one)
os.write(real, json.dumps({"pairs": results, "peakMegabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}).encode())
