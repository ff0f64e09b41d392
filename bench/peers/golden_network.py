"""PyTorch's values and gradients of every operator, loss and optimiser, for test/golden/network.json.

  .venv/bin/python golden_network.py > ../../test/golden/network.json

Inputs follow from whole numbers alone (`fraction`), so that only what they are made of is written. A case's gradients are those of
the sum of its output times weights that are made in the same way.
"""
import datetime
import json
import warnings

import torch
import torch.nn.functional as F

warnings.filterwarnings('ignore')
torch.set_num_threads(1)


def fraction(i, seed):
    return ((i * (37 + 2 * seed) + 11 * seed) % 101) / 101


def values(spec, seed):
    shape, kind = spec['shape'], spec['kind']
    size = 1
    for n in shape:
        size *= n
    k = [round(101 * fraction(i, seed)) for i in range(size)]
    if kind == 'real':
        out = [spec['low'] + (spec['high'] - spec['low']) * fraction(i, seed) for i in range(size)]
    elif kind == 'binary':
        out = [1.0 if v % 3 == 0 else 0.0 for v in k]
    elif kind == 'whole':
        out = [float(v % spec['most']) for v in k]
    elif kind == 'classes':
        space = size // shape[0] // shape[1]
        out = [1.0 if k[i // (shape[1] * space) * space + i % space] % shape[1] == i // space % shape[1] else 0.0
               for i in range(size)]
    else:
        out = spec['values']
    return torch.tensor(out, dtype=torch.float32).reshape(shape)


def real(*shape, low=-1, high=1):
    return {'shape': list(shape), 'kind': 'real', 'low': low, 'high': high}


def apart(*shape):
    """Multiples of 0.05 that keep 0.025 away from 0, so that small steps cross no kink."""
    return real(*shape, low=-2.525, high=2.525)


def positive(*shape):
    return real(*shape, low=0.2, high=2)


def chance(*shape):
    return real(*shape, low=0.05, high=0.95)


def binary(*shape):
    return {'shape': list(shape), 'kind': 'binary'}


def classes(*shape):
    return {'shape': list(shape), 'kind': 'classes'}


def whole(most, *shape):
    return {'shape': list(shape), 'kind': 'whole', 'most': most}


def given(data, *shape):
    return {'shape': list(shape), 'kind': 'given', 'values': data}


def rounded(tensor):
    return [float(f'{v:.5g}') for v in tensor.detach().reshape(-1).tolist()]


cases = {}


def case(name, inputs, run, noise=()):
    assert name not in cases, name
    tensors = {key: values(spec, at + 1) for at, (key, spec) in enumerate(inputs.items())}
    for key, spec in inputs.items():
        tensors[key].requires_grad_(spec['kind'] == 'real')
    drawn = [values(real(*shape, low=low, high=high), 90 + at) for at, (shape, low, high) in enumerate(noise)]
    out = run(*tensors.values(), *drawn)
    upstream = values(real(*(out.shape or [1])), 50)
    (out.reshape(upstream.shape) * upstream).sum().backward()
    cases[name] = {
        'inputs': inputs,
        'output': rounded(out),
        'gradients': {key: rounded(t.grad if t.grad is not None else torch.zeros_like(t))
                      for key, t in tensors.items() if t.requires_grad},
    }


def operators():
    two = {'a': real(2, 3, 4), 'b': positive(3, 1)}
    case('add', two, lambda a, b: a + b)
    case('subtract', two, lambda a, b: a - b)
    case('multiply', two, lambda a, b: a * b)
    case('divide', two, lambda a, b: a / b)
    case('maximum', {'a': apart(3, 4), 'b': apart(3, 4)}, torch.maximum)
    case('minimum', {'a': apart(3, 4), 'b': apart(3, 4)}, torch.minimum)
    case('power', {'x': positive(3, 4)}, lambda x: x ** 2.5)
    case('where', {'x': apart(3, 4), 'yes': real(4), 'no': real(3, 4)}, lambda x, y, n: torch.where(x > 0, y, n))
    case('negate', {'x': real(3, 4)}, lambda x: -x)
    case('exponential', {'x': real(3, 4)}, torch.exp)
    case('logarithm', {'x': positive(3, 4)}, torch.log)
    case('squareRoot', {'x': positive(3, 4)}, torch.sqrt)
    case('absolute', {'x': apart(3, 4)}, torch.abs)
    case('sigmoid', {'x': apart(3, 4)}, torch.sigmoid)
    case('tanh', {'x': apart(3, 4)}, torch.tanh)
    case('errorFunction', {'x': apart(3, 4)}, torch.erf)
    case('sum', {'x': real(2, 3, 4)}, lambda x: x.sum((0, 2), keepdim=True))
    case('mean', {'x': real(2, 3, 4)}, lambda x: x.mean((1, 2), keepdim=True))
    case('largest', {'x': apart(3, 4, 2)}, lambda x: x.amax((0, 2), keepdim=True))
    case('logSumExp', {'x': apart(3, 4, 2)}, lambda x: torch.logsumexp(x, (0, 2), keepdim=True))
    case('cast', {'x': real(3, 4)}, lambda x: x.double().float())
    case('stopGradient', {'x': real(3, 4)}, lambda x: x * x.detach())
    case('reverseGradient', {'x': real(3, 4)}, lambda x: x.detach() * 1.5 - 0.5 * x)

    case('reshape', {'x': real(2, 3, 4)}, lambda x: x.reshape(4, 6))
    case('transpose', {'x': real(2, 3, 4)}, lambda x: x.permute(2, 0, 1))
    case('expand', {'x': real(3, 1)}, lambda x: x.expand(2, 3, 4))
    case('slice', {'x': real(3, 7, 2)}, lambda x: x[1:, 1:6:2])
    case('dilate', {'x': real(2, 3)}, lambda x: torch.stack((x, x * 0, x * 0), 2).reshape(2, 9)[:, :7])
    case('pad', {'x': real(2, 3)}, lambda x: F.pad(x, (2, 1, 1, 0), value=0.5))
    case('replicatePad', {'x': real(1, 1, 3, 4)}, lambda x: F.pad(x, (2, 1, 1, 0), mode='replicate'))
    case('concat', {'a': real(2, 3), 'b': real(2, 1), 'c': real(2, 2)}, lambda *parts: torch.cat(parts, 1))
    case('cropCentre', {'x': real(1, 2, 5, 4)}, lambda x: x[:, :, 1:4, 1:3])
    at = given([2, 0, 2], 3)
    case('gather', {'x': real(4, 2), 'at': at}, lambda x, i: x[i.long()])
    case('gather axis 1', {'x': real(2, 4, 3), 'at': at}, lambda x, i: x[:, i.long()])
    case('scatterSum', {'x': real(5), 'at': given([1, 0, 3, 1, 1], 5)},
         lambda x, i: torch.zeros(4).index_add(0, i.long(), x))

    case('matmul', {'a': real(2, 3, 4), 'b': real(2, 4, 2)}, torch.matmul)
    case('matmul transA', {'a': real(4, 3), 'b': real(4, 2)}, lambda a, b: a.T @ b)
    case('matmul transB', {'a': real(2, 3, 4), 'b': real(2, 2, 4)}, lambda a, b: a @ b.mT)
    case('matmul transA transB', {'a': real(2, 4, 3), 'b': real(2, 2, 4)}, lambda a, b: a.mT @ b.mT)
    case('matmul broadcast', {'a': real(3, 4), 'b': real(2, 4, 2)}, torch.matmul)
    case('dense', {'x': real(2, 2, 3), 'weight': real(4, 3), 'bias': real(4)}, F.linear)
    case('attention', {'q': real(1, 2, 3, 4), 'k': real(1, 2, 5, 4), 'v': real(1, 2, 5, 2), 'bias': real(3, 5)},
         lambda q, k, v, b: F.scaled_dot_product_attention(q, k, v, attn_mask=b))
    convolutions()
    transposed()
    case('convGru', {'frames': real(3, 1, 1, 3, 3), **gates(2, 1, 3, 3)}, gru)
    case('convGru 3-D', {'frames': real(2, 1, 1, 2, 2, 2), **gates(1, 1, 1, 3, 3)}, gru)
    activations()
    windows()


def convolutions():
    def conv(name, x, weight, bias=None, **options):
        run = F.conv2d if len(x) == 4 else F.conv3d
        case(f'convolution {name}', {'x': real(*x), 'weight': real(*weight)}, lambda a, w: run(a, w, **options))
    conv('2-D same', (2, 2, 4, 5), (3, 2, 3, 3), padding=1)
    conv('2-D valid', (1, 2, 4, 5), (2, 2, 3, 2))
    conv('2-D stride', (1, 2, 5, 6), (2, 2, 3, 3), stride=2, padding=1)
    conv('2-D even kernel', (1, 1, 6, 6), (2, 1, 4, 4), stride=2, padding=1)
    conv('2-D dilation', (1, 1, 6, 6), (2, 1, 3, 3), dilation=2, padding=2)
    conv('2-D stride dilation', (1, 1, 7, 6), (1, 1, 3, 3), stride=2, dilation=2, padding=2)
    conv('2-D groups', (1, 4, 3, 4), (2, 2, 3, 3), groups=2, padding=1)
    conv('2-D much padding', (1, 1, 3, 3), (1, 1, 2, 2), padding=2)
    conv('2-D one voxel', (2, 3, 2, 3), (2, 3, 1, 1))
    conv('2-D one voxel stride', (1, 2, 4, 5), (2, 2, 1, 1), stride=2)
    conv('2-D wide', (1, 1, 16, 16), (1, 1, 3, 3), padding=1)
    conv('2-D wide groups dilation', (1, 2, 16, 16), (2, 1, 3, 3), padding=(2, 1), dilation=(2, 1), groups=2)
    conv('3-D same', (1, 2, 3, 3, 4), (2, 2, 3, 3, 3), padding=1)
    conv('3-D anisotropic', (1, 1, 3, 4, 4), (2, 1, 1, 3, 3), padding=(0, 1, 1))
    conv('3-D stride', (1, 1, 4, 5, 4), (2, 1, 3, 3, 3), stride=(1, 2, 2), padding=1)
    conv('3-D patches', (1, 1, 4, 4, 5), (2, 1, 2, 2, 2), stride=2)
    conv('3-D dilation', (1, 1, 5, 4, 5), (1, 1, 2, 2, 2), dilation=(2, 1, 2))
    conv('3-D groups', (1, 2, 3, 3, 3), (2, 1, 2, 3, 2), groups=2, padding=(1, 1, 0))
    conv('3-D wide', (1, 1, 2, 16, 16), (1, 1, 2, 3, 3), padding=(0, 1, 1))


def transposed():
    def up(name, x, weight, **options):
        run = F.conv_transpose2d if len(x) == 4 else F.conv_transpose3d
        case(f'transposed {name}', {'x': real(*x), 'weight': real(*weight)}, lambda a, w: run(a, w, **options))
    up('2-D doubling', (2, 2, 2, 3), (2, 2, 2, 2), stride=2)
    up('2-D general', (1, 2, 3, 3), (2, 1, 3, 3), stride=2, padding=1)
    up('2-D groups', (1, 4, 2, 3), (4, 1, 2, 3), stride=(2, 1), groups=2)
    up('3-D anisotropic', (1, 2, 2, 2, 3), (2, 2, 1, 2, 2), stride=(1, 2, 2))
    up('3-D general', (1, 1, 2, 3, 2), (1, 2, 3, 2, 3), stride=(1, 2, 2), padding=(1, 0, 1))


def gates(hidden, inner, *kernel):
    return {f'{gate}{kind}': real(*(hidden, hidden + inner, *kernel)[:1 if kind == 'Bias' else None])
            for gate in ('update', 'reset', 'candidate') for kind in ('Weight', 'Bias')}


def gru(frames, wz, bz, wr, br, wh, bh):
    conv = F.conv2d if frames.dim() == 5 else F.conv3d
    h = torch.zeros(frames.shape[1], wz.shape[0], *frames.shape[3:])
    sides = [k // 2 for k in wz.shape[2:]]
    for x in frames:
        z = torch.sigmoid(conv(torch.cat((x, h), 1), wz, bz, padding=sides))
        r = torch.sigmoid(conv(torch.cat((x, h), 1), wr, br, padding=sides))
        h = (1 - z) * h + z * torch.tanh(conv(torch.cat((x, r * h), 1), wh, bh, padding=sides))
    return h


def activations():
    x = {'x': apart(2, 3, 4)}
    case('relu', x, F.relu)
    case('leakyRelu', x, lambda v: F.leaky_relu(v, 0.1))
    case('prelu', {**x, 'slope': real(3)}, F.prelu)
    case('elu', x, lambda v: F.elu(v, 0.7))
    case('gelu', x, F.gelu)
    case('silu', x, F.silu)
    case('softplus', x, F.softplus)
    case('softmax', x, lambda v: v.softmax(1))
    case('logSoftmax', x, lambda v: v.log_softmax(1))
    scaled = {'scale': real(4), 'shift': real(4)}
    case('affine', {'x': real(2, 4, 3), **scaled}, lambda v, a, b: v * a[:, None] + b[:, None])
    case('instanceNormalised', {'x': apart(2, 2, 3, 4)}, F.instance_norm)
    case('instanceNormalised affine', {'x': apart(1, 4, 2, 3, 2), **scaled},
         lambda v, a, b: F.instance_norm(v, weight=a, bias=b))
    case('groupNormalised', {'x': apart(2, 4, 2, 2), **scaled}, lambda v, a, b: F.group_norm(v, 2, a, b))
    case('layerNormalised', {'x': apart(2, 3, 4), **scaled}, lambda v, a, b: F.layer_norm(v, [4], a, b))
    case('batchNormalised', {'x': apart(3, 4, 2, 2), **scaled},
         lambda v, a, b: F.batch_norm(v, None, None, a, b, training=True))
    case('dropout', {'x': real(2, 3, 4)}, lambda v, n: v * (n >= 0.4) / 0.6, noise=[((2, 3, 4), 0, 1)])
    case('dropout per channel', {'x': real(2, 3, 4)}, lambda v, n: v * (n >= 0.4) / 0.6, noise=[((2, 3, 1), 0, 1)])


def windows():
    case('maxPool 2-D', {'x': apart(1, 2, 5, 6)}, lambda x: F.max_pool2d(x, 2))
    case('maxPool 3-D', {'x': apart(1, 1, 2, 4, 6)}, lambda x: F.max_pool3d(x, (1, 2, 2)))
    case('maxPool overlapping', {'x': apart(2, 1, 5, 5)}, lambda x: F.max_pool2d(x, 3, 2, 1))
    case('unpool', {'x': apart(1, 2, 4, 6)}, lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2))
    case('averagePool', {'x': real(1, 2, 4, 6)}, lambda x: F.avg_pool2d(x, 2))
    case('averagePool general', {'x': real(2, 2, 4, 5)}, lambda x: F.avg_pool2d(x, 3, 2, 1))
    case('averagePool 3-D', {'x': real(1, 1, 3, 4, 3)}, lambda x: F.avg_pool3d(x, (1, 2, 3), (1, 1, 2), (0, 1, 1)))
    case('windowSum', {'x': real(1, 2, 3, 4)}, lambda x: F.avg_pool2d(x, 3, 1, 1) * 9)
    case('globalAverage', {'x': real(2, 2, 3, 2)}, lambda x: x.mean((2, 3), keepdim=True))
    case('globalLargest', {'x': apart(2, 2, 3, 2)}, lambda x: x.amax((2, 3), keepdim=True))
    case('resize nearest', {'x': real(1, 2, 3, 4)}, lambda x: F.interpolate(x, (5, 6), mode='nearest'))
    case('resize nearest-exact', {'x': real(1, 1, 5, 6)}, lambda x: F.interpolate(x, (3, 3), mode='nearest-exact'))
    case('resize linear', {'x': real(1, 1, 3, 4)}, lambda x: F.interpolate(x, (6, 5), mode='bilinear'))
    case('resize linear 3-D', {'x': real(1, 1, 2, 3, 4)},
         lambda x: F.interpolate(x, (4, 2, 5), mode='trilinear', align_corners=True))


def dice(p, y, axes, eps=1e-5):
    return (2 * (p * y).sum(axes) + eps) / (p.sum(axes) + y.sum(axes) + eps)


def losses():
    bce = F.binary_cross_entropy_with_logits
    logits = {'logits': apart(2, 1, 2, 3), 'truth': binary(2, 1, 2, 3)}
    many = {'logits': apart(2, 3, 2, 2), 'truth': classes(2, 3, 2, 2)}
    some = {'p': chance(2, 2, 2, 3), 'truth': binary(2, 2, 2, 3)}
    ce = lambda x, y: -(y * x.log_softmax(1)).sum(1).mean()
    case('L1 binaryCrossEntropy', logits, bce)
    case('L1 weightedBinaryCrossEntropy', {**logits, 'weights': positive(2, 1, 2, 3)}, 
         lambda x, y, w: (w * bce(x, y, reduction='none')).mean())
    case('L1 crossEntropy', many, lambda x, y: F.cross_entropy(x, y))
    case('L1 classWeightedCrossEntropy', many,
         lambda x, y: F.cross_entropy(x, y, torch.tensor([0.5, 1, 2])))
    case('L1 probabilityCrossEntropy', some, F.binary_cross_entropy)

    def focal(x, y, gamma=2, alpha=0.25):
        p = torch.sigmoid(x)
        pt = p * y + (1 - p) * (1 - y)
        return (-(alpha * y + (1 - alpha) * (1 - y)) * (1 - pt) ** gamma * pt.log()).mean()
    case('L2 focal', logits, focal)
    case('L3 softDice', some, lambda p, y: 1 - dice(p, y, (0, 2, 3)).mean())
    case('L3 softDice per image', some, lambda p, y: 1 - dice(p, y, (2, 3)).mean())
    case('L3 softDice squared', some, lambda p, y: 1 - (
        (2 * (p * y).sum((0, 2, 3)) + 1e-5) / ((p * p).sum((0, 2, 3)) + (y * y).sum((0, 2, 3)) + 1e-5)).mean())
    case('L3 softDice weighted', {**some, 'weights': positive(2, 1, 2, 3)}, lambda p, y, w: 1 - (
        (2 * (p * y * w).sum((0, 2, 3)) + 1e-5) / (((p + y) * w).sum((0, 2, 3)) + 1e-5)).mean())
    case('L4 diceAndCrossEntropy', many,
         lambda x, y: ce(x, y) - dice(x.softmax(1)[:, 1:], y[:, 1:], (0, 2, 3)).mean())
    case('L4 diceAndBinaryCrossEntropy', logits,
         lambda x, y: 1 - dice(torch.sigmoid(x), y, (0, 2, 3)).mean() + 2 * bce(x, y))

    def tversky(p, y, a, b, eps=1e-5):
        tp = (p * y).sum()
        return 1 - (tp + eps) / (tp + a * (p * (1 - y)).sum() + b * ((1 - p) * y).sum() + eps)
    case('L5 tversky', some, lambda p, y: tversky(p, y, 0.3, 0.7))
    case('L5 fScoreLoss', some, lambda p, y: tversky(p, y, 0.2, 0.8))
    case('L6 focalTversky', some, lambda p, y: tversky(p, y, 0.3, 0.7) ** 0.75)

    def generalised(p, y):
        volume = y.sum((0, 2, 3))
        w = 1 / volume ** 2
        w = torch.where(torch.isinf(w), w[~torch.isinf(w)].max(), w)
        return 1 - 2 * (w * (p * y).sum((0, 2, 3))).sum() / (w * (p + y).sum((0, 2, 3))).sum()
    case('L7 generalisedDice', some, generalised)
    case('L7 generalisedDice absent', {'p': chance(1, 3, 2, 2), 'truth': given([1, 0, 1, 1, 0, 1, 0, 0] + 4 * [0], 1, 3, 2, 2)},
         generalised)
    case('L8 sensitivitySpecificity', some, lambda p, y: 0.05 * (y * (y - p) ** 2).sum() / y.sum()
         + 0.95 * ((1 - y) * (y - p) ** 2).sum() / (1 - y).sum())

    def flipped(x, s, y):
        q = torch.sigmoid(-torch.exp(s))
        soft = (y * (1 - q) + (1 - y) * q).detach()
        return bce(x, soft) + F.binary_cross_entropy(q, ((x > 0).float() != y).float())
    case('L9 labelFlip', {'logits': apart(2, 1, 2, 3), 's': real(2, 1, 2, 3), 'truth': binary(2, 1, 2, 3)}, flipped)
    case('L10 noisyLogits', {'logits': apart(2, 1, 2, 2), 's': real(2, 1, 2, 2), 'truth': binary(2, 1, 2, 2)},
         lambda x, s, y, n: torch.stack([bce(x + n[t] * s.exp(), y) for t in range(3)]).mean(),
         noise=[((3, 2, 1, 2, 2), -2, 2)])
    pair = {'a': apart(2, 1, 3, 2), 'b': apart(2, 1, 3, 2)}
    case('L11 squaredError', {'p': chance(2, 1, 3), 'soft': chance(2, 1, 3)}, F.mse_loss)
    case('L12 absoluteError', pair, F.l1_loss)
    case('L13 squaredError', pair, F.mse_loss)

    def ncc(a, b):
        box = torch.ones(1, 1, *[3] * (a.dim() - 2))
        total = lambda v: (F.conv2d if v.dim() == 4 else F.conv3d)(v, box, padding=1)
        n = box.numel()
        cross = total(a * b) - total(a) * total(b) / n
        va, vb = total(a * a) - total(a) ** 2 / n, total(b * b) - total(b) ** 2 / n
        return -(cross * cross / (va * vb + 1e-5)).mean()
    case('L14 localCorrelation', {'a': apart(1, 1, 4, 5), 'b': apart(1, 1, 4, 5)}, ncc)
    case('L14 localCorrelation 3-D', {'a': apart(1, 1, 3, 3, 4), 'b': apart(1, 1, 3, 3, 4)}, ncc)
    case('L15 smoothness', {'flow': real(1, 3, 3, 2, 4)}, lambda v: sum((v.diff(dim=d) ** 2).mean() for d in (2, 3, 4)) / 3)
    scores = {'real': real(2, 1, 2), 'fake': real(2, 1, 2)}
    like = torch.full_like
    case('L16 adversarial discriminator', scores, lambda r, f: bce(r, like(r, 1)) + bce(f, like(f, 0)))
    case('L16 adversarial generator', {'fake': real(2, 1, 2)}, lambda f: bce(f, like(f, 1)))
    case('L17 leastSquaresAdversarial discriminator', scores, lambda r, f: ((r - 1) ** 2).mean() + (f ** 2).mean())
    case('L17 leastSquaresAdversarial generator', {'fake': real(2, 1, 2)}, lambda f: ((f - 1) ** 2).mean())
    case('L18 cycleConsistency', {'image': apart(2, 1, 3), 'back': apart(2, 1, 3), 'kept': apart(2, 1, 3)},
         lambda a, back, kept: 10 * (back - a).abs().mean() + 5 * (kept - a).abs().mean())

    def jdot(coupling, g, h, y, p):
        n = range(3)
        cost = lambda i, j: 0.5 * ((g[i] - h[j]) ** 2).sum() + 2 * (1 - dice(p[j], y[i], (0, 1)))
        return sum(coupling[i, j] * cost(i, j) for i in n for j in n)
    case('L20 jointTransport', {'coupling': given([0, 1 / 3, 0, 1 / 3, 0, 0, 0, 0, 1 / 3], 3, 3), 'source': real(3, 2, 2),
                                'target': real(3, 2, 2), 'truth': binary(3, 1, 4), 'p': chance(3, 1, 4)}, jdot)
    case('L21 entropy', {'logits': apart(2, 3, 2)}, lambda x: -(x.softmax(1) * x.log_softmax(1)).sum(1).mean())

    def two_class(x):
        p = torch.sigmoid(x)
        return -(p * p.log() + (1 - p) * (1 - p).log()).mean()
    case('L21 binaryEntropy', {'logits': apart(2, 1, 3)}, two_class)
    lesionwise()
    counts()

    def deep(fine, middle, coarse, y):
        exact = F.interpolate(y, (2, 2), mode='nearest-exact')
        return 2 / 3 * bce(fine, y) + 1 / 3 * bce(middle, exact)
    case('L24 deepSupervision', {'fine': apart(1, 1, 4, 4), 'middle': apart(1, 1, 2, 2), 'coarse': apart(1, 1, 1, 1),
                                 'truth': binary(1, 1, 4, 4)}, deep)


# Two components and a stray voxel (label 4, with three at most) in the first image, one component in the second, none in the third.
LABELS = [1, 1, 0, 0, 0, 2, 0, 4, 0, 0, 0, 0,
          0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0] + 12 * [0]
REGIONS = [1, 1, 2, 1, 2, 2, 1, 4, 2, 1, 2, 2] + 12 * [1] + 12 * [0]


def lesionwise():
    bce = F.binary_cross_entropy_with_logits

    def overall(x, labels, crit):
        return crit(torch.sigmoid(x), x, (labels > 0).float())

    def of_dice(p, x, y):
        return 1 - (2 * (p * y).sum() + 1e-5) / (p.sum() + y.sum() + 1e-5)

    def blobs(x, labels, faithful, entropy):
        images = []
        for image, own in zip(x, labels):
            parts = []
            for c in sorted({int(v) for v in own.reshape(-1).tolist()} & {1, 2, 3}):
                seen = (own == 0) | (own == c)
                y = (own == c).float()
                p = torch.sigmoid(image)
                if entropy:
                    loss = bce(image * seen, y, reduction='none')
                    parts.append((loss if faithful else loss * seen).mean())
                else:
                    parts.append(of_dice(torch.sigmoid(image * seen) if faithful else p * seen, None, y))
            if parts:
                images.append(torch.stack(parts).mean())
        return torch.stack(images).mean()
    inputs = {'logits': apart(3, 1, 3, 4), 'labels': given(LABELS, 3, 1, 3, 4)}
    for faithful in (False, True):
        name = ' faithful' if faithful else ''
        case(f'L22 blobLoss{name}', inputs,
             lambda x, y: 2 * overall(x, y, of_dice) + blobs(x, y, faithful, False))
        case(f'L22 blobLoss cross-entropy{name}', inputs,
             lambda x, y: 2 * overall(x, y, lambda p, v, t: bce(v, t)) + blobs(x, y, faithful, True))

    def regions(x, labels, near):
        images = []
        for image, own, part in zip(x, labels, near):
            parts = []
            for c in sorted({int(v) for v in part.reshape(-1).tolist()} & {1, 2, 3}):
                here = part == c
                logit, y = image[here], (own[here] > 0).float()
                parts.append(of_dice(torch.sigmoid(logit), None, y) + bce(logit, y))
            if parts:
                images.append(torch.stack(parts).mean())
        whole_image = overall(x, labels, lambda p, v, t: of_dice(p, v, t) + bce(v, t))
        return whole_image + torch.stack(images).mean()
    case('L22 regionLoss', {**inputs, 'regions': given(REGIONS, 3, 1, 3, 4)}, regions)
    case('L22 regionLoss two classes', {'logits': apart(3, 2, 3, 4), 'labels': given(LABELS, 3, 1, 3, 4),
                                        'regions': given(REGIONS, 3, 1, 3, 4)},
         lambda x, y, r: regions(x[:, 1:] - x[:, :1], y, r))

    def f1(x, labels, alarms):
        p = torch.sigmoid(x)
        images = []
        for image, own, peaks in zip(p, labels, alarms):
            parts = [image[own == c] for c in (1, 2, 3) if (own == c).any()]
            tp = sum(1 - (1 - part).prod() ** len(part) ** -0.5 for part in parts)
            fp = sum(image.reshape(-1)[int(at)] for at in peaks.tolist() if at >= 0)
            images.append(1 - (2 * tp + 1e-5) / (tp + fp + len(parts) + 1e-5))
        return torch.stack(images).mean()
    case('L22 lesionF1', {**inputs, 'alarms': given([3, 11, 10, -1, 5, -1], 3, 2)}, f1)


def counts():
    density = {'density': positive(2, 1, 2, 2), 'wanted': given([1, 3], 2)}
    total = lambda d: d.sum((1, 2, 3))
    case('L23 countError', density, lambda d, n: ((total(d) - n).abs() / (n + 1)).mean())
    case('L23 poissonCount', density,
         lambda d, n: F.poisson_nll_loss(total(d), n, log_input=False, eps=1e-5))
    case('L23 countHinge', {'density': positive(2, 1, 2, 2), 'low': given([1, 9], 2), 'high': given([2, 12], 2)},
         lambda d, low, high: torch.relu(torch.maximum(low - total(d), total(d) - high)).mean())

    def euler(p):
        chi = 0
        pairs = lambda v, d: v.narrow(d, 0, v.shape[d] - 1) * v.narrow(d, 1, v.shape[d] - 1)
        for subset in range(8):
            v = p
            for axis in range(3):
                if subset >> axis & 1:
                    v = pairs(v, 2 + axis)
            chi = chi + (-1) ** bin(subset).count('1') * v.sum((1, 2, 3, 4))
        return chi
    case('L23 eulerCharacteristic', {'p': chance(2, 1, 2, 3, 2)}, euler)
    case('L23 squaredCountError', {'p': chance(2, 1, 2, 3, 2), 'wanted': given([2, 1], 2)},
         lambda p, n: ((euler(p) - n) ** 2 / (n + 1)).mean())
    case('L23 peakCount', {'p': chance(2, 1, 2, 3), 'peaks': given([4, 0, 2, -1], 2, 2)},
         lambda p, at: torch.stack([torch.sigmoid(10 * (p[0].reshape(-1)[[4, 0]] - 0.5)).sum(),
                                    torch.sigmoid(10 * (p[1].reshape(-1)[2] - 0.5))]))
    case('L23 noisyOr', {'logits': apart(2, 4)}, lambda x: 1 - (1 - torch.sigmoid(x)).prod(1))
    case('L23 softLargest', {'scores': apart(2, 4)}, lambda x: (torch.logsumexp(5 * x, 1) - torch.tensor(4.0).log()) / 5)
    case('L23 countVariance', {'p': chance(2, 4)}, lambda p: (p * (1 - p)).sum(1))
    case('L23 concentration', {'density': positive(2, 1, 3)}, lambda d: d.sqrt().mean())
    case('L23 totalVariation', {'density': apart(1, 1, 3, 4)}, lambda d: sum(d.diff(dim=k).abs().mean() for k in (2, 3)))


def optimisers():
    """Five updates of a small dense layer; the bias does not decay."""
    out = {}

    def train(name, make, clip=None, decay=None, average=None, accumulate=1, rate=0.1):
        w = values(real(2, 3), 1).requires_grad_()
        b = values(real(2), 2).requires_grad_()
        optimiser = make(w, b)
        mean = [p.detach().clone() for p in (w, b)]
        for step in range(5 * accumulate):
            x, t = values(real(4, 3), 3 + step), values(real(4, 2), 20 + step)
            (((torch.tanh(x @ w.T + b) - t) ** 2).mean() / accumulate).backward()
            if (step + 1) % accumulate:
                continue
            if clip:
                torch.nn.utils.clip_grad_norm_([w, b], clip)
            if decay:
                with torch.no_grad():
                    w.mul_(1 - rate * decay)
            optimiser.step()
            optimiser.zero_grad()
            if average:
                mean = [average * m + (1 - average) * p.detach() for m, p in zip(mean, (w, b))]
        out[name] = {'w': rounded(mean[0] if average else w), 'b': rounded(mean[1] if average else b)}

    def pair(w, b, decay=0.0):
        return [{'params': [w], 'weight_decay': decay}, {'params': [b], 'weight_decay': 0.0}]
    optim = torch.optim
    train('sgd', lambda w, b: optim.SGD([w, b], 0.1))
    train('sgd momentum', lambda w, b: optim.SGD([w, b], 0.1, momentum=0.9))
    train('sgd nesterov decay', lambda w, b: optim.SGD(pair(w, b, 0.05), 0.1, momentum=0.9, nesterov=True))
    train('sgd decoupled decay', lambda w, b: optim.SGD([w, b], 0.1, momentum=0.9), decay=0.05)
    train('adam', lambda w, b: optim.Adam([w, b], 0.1))
    train('adam decay', lambda w, b: optim.Adam(pair(w, b, 0.05), 0.1, betas=(0.8, 0.95), eps=1e-3))
    train('adamw', lambda w, b: optim.AdamW(pair(w, b, 0.05), 0.1))
    train('rmsprop', lambda w, b: optim.RMSprop([w, b], 0.1))
    train('rmsprop momentum', lambda w, b: optim.RMSprop([w, b], 0.1, alpha=0.9, eps=1e-4, momentum=0.6))
    train('adadelta', lambda w, b: optim.Adadelta([w, b], 0.1))
    train('adadelta settings', lambda w, b: optim.Adadelta([w, b], 0.1, rho=0.95, eps=1e-3))
    train('clip', lambda w, b: optim.SGD([w, b], 0.1), clip=0.05)
    train('average', lambda w, b: optim.SGD([w, b], 0.1), average=0.8)
    train('groups', lambda w, b: optim.SGD([{'params': [w], 'lr': 0.05}, {'params': [b]}], 0.1))
    train('frozen', lambda w, b: optim.SGD([b], 0.1))
    train('accumulate', lambda w, b: optim.Adam([w, b], 0.1), accumulate=2)
    train('accumulate average clip', lambda w, b: optim.SGD([w, b], 0.1, momentum=0.9), accumulate=3, clip=0.05, average=0.8)
    return out


operators()
losses()
print(json.dumps({
    'madeBy': 'bench/peers/golden_network.py',
    'date': datetime.date.today().isoformat(),
    'versions': {'torch': torch.__version__.split('+')[0]},
    'cases': cases,
    'optimisers': optimisers(),
}))
