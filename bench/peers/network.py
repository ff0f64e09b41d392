"""One measurement of bench/network.ts in PyTorch: a job as JSON from standard input, seconds, weights and peak to standard output."""
import json
import resource
import sys
import time

import torch
from torch import nn
import torch.nn.functional as F

job = json.load(sys.stdin)
net = job['network']
torch.set_num_threads(2)
torch.manual_seed(1)
axes = len(net['patch'])
Conv = nn.Conv2d if axes == 2 else nn.Conv3d
Up = nn.ConvTranspose2d if axes == 2 else nn.ConvTranspose3d
Pool = nn.MaxPool2d if axes == 2 else nn.MaxPool3d
Instance = nn.InstanceNorm2d if axes == 2 else nn.InstanceNorm3d
Batch = nn.BatchNorm2d if axes == 2 else nn.BatchNorm3d


def layer(before, after, stride=1):
    norm = {'batch': [Batch(after)], 'instance': [Instance(after, affine=True)], 'none': []}[net['normalisation']]
    return nn.Sequential(Conv(before, after, 3, stride, 1), *norm, nn.LeakyReLU(0.01, inplace=True))


class UNet(nn.Module):
    def __init__(self):
        super().__init__()
        features, strided = net['features'], net['kind'] == 'nnunet'
        self.pool = None if strided else Pool(2)
        self.down, self.up, self.level = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        before = net['channels']
        for i, width in enumerate(features):
            self.down.append(nn.Sequential(layer(before, width, 2 if strided and i else 1), layer(width, width)))
            before = width
        for width in reversed(features[:-1]):
            self.up.append(Up(before, width, 2, 2))
            self.level.append(nn.Sequential(layer(2 * width, width), layer(width, width)))
            before = width
        self.head = Conv(before, 1, 1)

    def forward(self, x):
        skips = []
        for i, down in enumerate(self.down):
            x = down(self.pool(x) if self.pool and i else x)
            skips.append(x)
        for up, level, skip in zip(self.up, self.level, reversed(skips[:-1])):
            x = level(torch.cat((up(x), skip), 1))
        return self.head(x)


model = UNet()
last = torch.channels_last if axes == 2 else torch.channels_last_3d
if job['channelsLast']:
    model = model.to(memory_format=last)


def data(*shape):
    x = torch.rand(*shape) - 0.5
    return x.to(memory_format=last) if job['channelsLast'] else x


def low():
    return torch.autocast('cpu', torch.bfloat16, enabled=job['bf16'])


seconds = []
if job['mode'] == 'train':
    image = data(net['batch'], net['channels'], *net['patch'])
    truth = (data(net['batch'], 1, *net['patch']) > 0.45).float()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for i in range(-1, job['runs']):
        start = time.perf_counter()
        optimiser.zero_grad(set_to_none=True)
        with low():
            logits = model(image)
        logits = logits.float()
        p = torch.sigmoid(logits)
        dice = 1 - (2 * (p * truth).sum() + 1e-5) / (p.sum() + truth.sum() + 1e-5)
        loss = dice + F.binary_cross_entropy_with_logits(logits, truth)
        loss.backward()
        optimiser.step()
        loss.item()
        if i >= 0:
            seconds.append(time.perf_counter() - start)
else:
    model.eval()
    patch = net['patch'] if axes == 3 else [1] + net['patch']
    image = data(1, net['channels'], *net['image']) if axes == 3 else torch.rand(1, net['channels'], *net['image']) - 0.5

    def starts(size, window):
        count = max(1, -(-(size - window) // max(1, window // 2)) + 1)
        return [round(i * (size - window) / max(1, count - 1)) for i in range(count)]

    def bell(n):
        return torch.exp(-0.5 * ((torch.arange(n) - n // 2) / (n / 8)) ** 2) if n > 1 else torch.ones(1)

    weight = bell(patch[0])[:, None, None] * bell(patch[1])[:, None] * bell(patch[2])
    with torch.inference_mode(), low():
        for i in range(-1, job['runs']):
            start = time.perf_counter()
            total = torch.zeros(net['image'])
            share = torch.zeros(net['image'])
            for z in starts(net['image'][0], patch[0]):
                for y in starts(net['image'][1], patch[1]):
                    for x in starts(net['image'][2], patch[2]):
                        at = (slice(z, z + patch[0]), slice(y, y + patch[1]), slice(x, x + patch[2]))
                        window = image[(slice(None), slice(None), *at)]
                        if axes == 2:
                            window = window[:, :, 0]
                        if job['channelsLast']:
                            window = window.contiguous(memory_format=last)
                        total[at] += model(window)[0, 0].float().reshape(patch) * weight
                        share[at] += weight
            total /= share
            if i >= 0:
                seconds.append(time.perf_counter() - start)

print(json.dumps({
    'seconds': seconds,
    'weights': sum(p.numel() for p in model.parameters()),
    'megabytes': resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    'version': torch.__version__,
}))
