"""Values of other programs on made-up numbers, for test/evaluate/golden/metrics.json (made with the versions it names).

  .venv/bin/python golden_metrics.py > ../../test/evaluate/golden/metrics.json
"""
import datetime
import json

import numpy as np
import pingouin as pg
import scipy
import sklearn
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve

pg.options.update({key: 12 for key in ('round.column.CI95', 'round.column.CI95%')})
random = np.random.default_rng(2024)


def probabilities():
    """A map of 500 voxels with many ties, 60 of them lesion; and one without ties."""
    out = []
    for decimals in (2, 7):
        truth = (np.arange(500) % 8 == 3).astype(int)
        score = np.clip(random.normal(0.25 + 0.3 * truth, 0.2), 0, 1).round(decimals).astype(np.float32)
        p = score.astype(float)
        bins = 10
        index = np.where(p == 0, 0, np.ceil(p * bins) - 1).astype(int)
        gaps = [abs(truth[index == b].mean() - p[index == b].mean()) if (index == b).any() else 0 for b in range(bins)]
        observed, predicted = calibration_curve(truth, p, n_bins=bins)
        out.append({
            'truth': truth.tolist(),
            'score': [float(v) for v in score],
            'brier': metrics.brier_score_loss(truth, p),
            'rocAuc': metrics.roc_auc_score(truth, p),
            'averagePrecision': metrics.average_precision_score(truth, p),
            'expectedError': float(sum((index == b).mean() * gaps[b] for b in range(bins))),
            'observed': observed.tolist(),
            'meanProbability': predicted.tolist(),
        })
    return out


def retention():
    """Shifts' curve word for word: most certain voxels keep the prediction; nDSC of lesion load 0.001."""
    n = 400
    truth = (np.arange(n) % 11 == 5).astype(int)
    prediction = np.where(random.random(n) < 0.1, 1 - truth, truth)
    uncertainty = (random.random(n) + 0.5 * (truth != prediction)).astype(np.float32)
    assert len(np.unique(uncertainty)) == n
    order = uncertainty.argsort()
    y, x = truth[order], prediction[order]
    shares = np.log(np.arange(1, 201)) / np.log(200)
    k = (1 - 0.001) * y.sum() / (0.001 * (n - y.sum()))
    dice, normalised = [], []
    for share in shares:
        kept = int(n * share)
        now = np.concatenate((x[:kept], y[kept:]))
        tp, fp, fn = (now * y).sum(), (now * (1 - y)).sum(), ((1 - now) * y).sum()
        dice.append(2 * tp / (2 * tp + fp + fn))
        normalised.append(2 * tp / (2 * tp + k * fp + fn))
    return {
        'truth': truth.tolist(),
        'prediction': prediction.tolist(),
        'uncertainty': [float(v) for v in uncertainty],
        'dice': dice[::20],
        'normalisedDice': normalised[::20],
        'errorArea': 1 - metrics.auc(shares, dice),
        'normalisedErrorArea': 1 - metrics.auc(shares, normalised),
    }


def agreement():
    """Volumes in ml of 17 made-up patients by three raters, the third with a proportional bias; and two with ties."""
    import pandas as pd

    truth = np.exp(random.normal(1.5, 1.0, 17))
    raters = np.stack([truth * np.exp(random.normal(0, s, 17)) * f + c for s, f, c in
                       [(0.05, 1, 0), (0.15, 1, 0.5), (0.1, 1.3, -0.2)]], axis=1).round(3)
    table = pd.DataFrame([{'case': i, 'rater': j, 'ml': raters[i, j]} for i in range(17) for j in range(3)])

    def icc(columns):
        part = table[table.rater.isin(columns)]
        found = pg.intraclass_corr(part, targets='case', raters='rater', ratings='ml')
        rows = {}
        for _, row in found.iterrows():
            rows[row['Type']] = row
        pick = lambda *names: next(rows[name] for name in names if name in rows)
        interval = 'CI95%' if 'CI95%' in found else 'CI95'
        show = lambda row: {'value': float(row['ICC']), 'interval': [float(v) for v in row[interval]]}
        return {'icc21': show(pick('ICC2', 'ICC(A,1)')), 'icc31': show(pick('ICC3', 'ICC(C,1)'))}

    x, y = raters[:, 0], raters[:, 2]
    difference, mean = y - x, (x + y) / 2
    n = len(x)
    sd = difference.std(ddof=1)
    t, z = stats.t.ppf(0.975, n - 1), stats.norm.ppf(0.975)
    limit = t * sd * np.sqrt(1 / n + z**2 / (2 * (n - 1)))
    line = stats.linregress(mean, difference)
    covariance = np.cov(x, y, ddof=0)
    ccc = 2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (x.mean() - y.mean()) ** 2)
    tied = [[1, 2, 2, 3, 5, 5, 5, 8], [2, 1, 4, 4, 3, 9, 7, 7]]
    return {
        'raters': raters.tolist(),
        'pearson': float(stats.pearsonr(x, y).statistic),
        'pearsonInterval': [float(v) for v in stats.pearsonr(x, y).confidence_interval(0.95)],
        'spearman': float(stats.spearmanr(x, y).statistic),
        'tied': tied,
        'tiedSpearman': float(stats.spearmanr(*tied).statistic),
        'concordance': float(ccc),
        'two': icc([0, 2]),
        'three': icc([0, 1, 2]),
        'blandAltman': {
            'bias': float(difference.mean()),
            'biasInterval': [float(v) for v in stats.t.interval(0.95, n - 1, difference.mean(), sd / np.sqrt(n))],
            'limits': [float(difference.mean() - z * sd), float(difference.mean() + z * sd)],
            'limitHalfWidth': float(limit),
            'slope': float(line.slope),
            'slopeInterval': [float(line.slope + s * stats.t.ppf(0.975, n - 2) * line.stderr) for s in (-1, 1)],
            'slopeP': float(line.pvalue),
        },
    }


print(json.dumps({
    'made': {
        'script': 'bench/peers/golden_metrics.py',
        'date': datetime.date.today().isoformat(),
        'numpy': np.__version__,
        'scipy': scipy.__version__,
        'scikit-learn': sklearn.__version__,
        'pingouin': pg.__version__,
    },
    'probabilities': probabilities(),
    'retention': retention(),
    'agreement': agreement(),
}))
