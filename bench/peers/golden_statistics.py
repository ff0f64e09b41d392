"""Values of scipy, statsmodels and scikit-posthocs on made-up data: python golden_statistics.py > test/golden/statistics.json

Needs scipy, statsmodels, pandas and scikit-posthocs. The data are random figures with a fixed seed, rounded to 3 or 5 digits.
"""

import datetime
import json
import platform

import numpy as np
import pandas as pd
import scikit_posthocs
import scipy
import statsmodels
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.rates import power_negbin_ratio_2indep

random = np.random.default_rng(2024)


def figures(*shape):
    return np.round(random.normal(0.6, 0.15, shape), 3)


def distributions():
    rows = []

    def add(name, function, *arguments):
        rows.append({"name": name, "arguments": list(arguments), "value": float(function(*arguments))})

    for x in [-9, -3.2, -1, 0, 0.3, 1.96, 5, 12]:
        add("normalCdf", stats.norm.cdf, x)
        add("normalUpper", stats.norm.sf, x)
    for p in [1e-12, 0.003, 0.3, 0.5, 0.8, 0.975, 0.9999]:
        add("normalQuantile", stats.norm.ppf, p)
        for df in [1, 2.5, 9, 300]:
            add("tQuantile", stats.t.ppf, p, df)
        for df in [1, 3, 40]:
            add("chiSquareQuantile", stats.chi2.ppf, p, df)
        for df1, df2 in [(1, 4), (4, 36), (50, 7.5)]:
            add("fQuantile", stats.f.ppf, p, df1, df2)
    for df in [1, 2.5, 9, 300]:
        for t in [-40, -2, 0, 0.4, 2.3, 25]:
            add("tUpper", stats.t.sf, t, df)
            add("tCdf", stats.t.cdf, t, df)
    for df in [1, 3, 40, 500]:
        for x in [0.01, 2, 9, 70, 600]:
            add("chiSquareUpper", stats.chi2.sf, x, df)
            add("chiSquareCdf", stats.chi2.cdf, x, df)
    for df1, df2 in [(1, 4), (4, 36), (50, 7.5)]:
        for x in [0.05, 1, 3.3, 80]:
            add("fUpper", stats.f.sf, x, df1, df2)
            add("fCdf", stats.f.cdf, x, df1, df2)
    for k, n, p in [(0, 5, 0.2), (3, 10, 0.5), (10, 10, 0.5), (40, 200, 0.25)]:
        add("binomialCdf", stats.binom.cdf, k, n, p)
    for t, df, delta in [(2, 9, 1.5), (-1, 4, 0.5), (2.1, 39, 3.2), (12, 5, 8), (1.7, 250, 1)]:
        add("noncentralTUpper", stats.nct.sf, t, df, delta)
    for q, k, df in [(3.5, 4, 10), (1.2, 2, 5), (4.4, 12, 60), (6, 30, 20)]:
        add("studentisedRangeUpper", stats.studentized_range.sf, q, k, df)
    for p, k, df in [(0.95, 3, 12), (0.9, 6, 40)]:
        add("studentisedRangeQuantile", stats.studentized_range.ppf, p, k, df)
    return rows


def paired():
    cases = []
    shapes = {"ten": 10, "forty": 40, "eighty": 80}
    for name, n in shapes.items():
        digits = 3 if n == 10 else 5
        first = np.round(random.normal(0.6, 0.15, n), digits)
        cases.append((name, first, np.round(first + random.normal(-0.03, 0.08, n), digits)))
    coarse = np.round(random.normal(5, 2, (2, 30)))
    cases.append(("ties and zeros", coarse[0], coarse[1]))
    out = []
    for name, first, second in cases:
        d = np.round(first - second, 5)
        row = {"name": name, "first": first.tolist(), "second": second.tolist()}
        plain = len(np.unique(np.abs(d))) == len(d) and not np.any(d == 0)
        for alternative in ["two-sided", "greater", "less"]:
            for zeros in ["wilcox", "pratt"]:
                result = stats.wilcoxon(d, zero_method=zeros, correction=True, alternative=alternative, method="asymptotic")
                row[f"normal {zeros} {alternative}"] = float(result.pvalue)
            if plain and len(d) <= 50:
                row[f"exact {alternative}"] = float(stats.wilcoxon(d, alternative=alternative, method="exact").pvalue)
            row[f"t {alternative}"] = float(stats.ttest_rel(first, second, alternative=alternative).pvalue)
            row[f"sign {alternative}"] = float(
                stats.binomtest(int((d > 0).sum()), int((d != 0).sum()), alternative=alternative).pvalue
            )
        row["W+"] = float(stats.wilcoxon(d, alternative="greater", method="asymptotic").statistic)
        row["t"] = float(stats.ttest_rel(first, second).statistic)
        if len(d) <= 10:
            for alternative in ["two-sided", "greater", "less"]:
                flips = stats.permutation_test(
                    (d,), np.mean, permutation_type="samples", n_resamples=np.inf, alternative=alternative
                )
                row[f"permutation {alternative}"] = float(flips.pvalue)
        dz = d.mean() / d.std(ddof=1)
        t, df = dz * np.sqrt(len(d)), len(d) - 1
        ends = [
            scipy.optimize.brentq(lambda nc: stats.nct.sf(t, df, nc) - tail, t - 8, t + 8, xtol=1e-12) / np.sqrt(len(d))
            for tail in (0.025, 0.975)
        ]
        row["dz"] = [float(dz), *map(float, ends)]
        out.append(row)
    return out


def unpaired():
    out = []
    for name, first, second in [
        ("no ties", figures(14), figures(21) + 0.0505),
        ("large", figures(70), figures(55)),
        ("counts", random.poisson(3, 25).astype(float), random.poisson(5, 30).astype(float)),
    ]:
        first, second = np.round(first, 4), np.round(second, 4)
        row = {"name": name, "first": first.tolist(), "second": second.tolist()}
        row["U"] = float(stats.mannwhitneyu(first, second).statistic)
        for alternative in ["two-sided", "greater", "less"]:
            for method in ["exact", "asymptotic"]:
                if method == "exact" and name != "no ties":
                    continue
                result = stats.mannwhitneyu(first, second, alternative=alternative, method=method)
                row[f"{method} {alternative}"] = float(result.pvalue)
        greater = (first[:, None] > second).mean() - (first[:, None] < second).mean()
        row["cliff"] = float(greater)
        out.append(row)
    return out


def multiple():
    p = [0.012, 0.0004, 0.2, 0.049, 0.012, 0.7, 0.03, 0.0011]
    names = {"holm": "holm", "bonferroni": "bonferroni", "benjaminiHochberg": "fdr_bh", "benjaminiYekutieli": "fdr_by"}
    return {"p": p, **{ours: multipletests(p, method=theirs)[1].tolist() for ours, theirs in names.items()}}


def friedman():
    out = []
    quality = np.array([0.0, 0.02, 0.05, 0.05, 0.1])
    plain = np.round(figures(16, 5) + quality, 3)
    for name, scores in [("plain", plain), ("ties", np.round(plain * 12) / 12)]:
        ranks = stats.rankdata(-scores, axis=1)
        result = stats.friedmanchisquare(*scores.T)
        n, k = scores.shape
        f = (n - 1) * result.statistic / (n * (k - 1) - result.statistic)
        frame = pd.DataFrame(scores)
        out.append(
            {
                "name": name,
                "scores": scores.tolist(),
                "averageRanks": ranks.mean(axis=0).tolist(),
                "chiSquare": float(result.statistic),
                "p": float(result.pvalue),
                "f": float(f),
                "fP": float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
                "conoverHolm": scikit_posthocs.posthoc_conover_friedman(frame, p_adjust="holm").to_numpy().tolist(),
                "nemenyi": scikit_posthocs.posthoc_nemenyi_friedman(frame).to_numpy().tolist(),
            }
        )
    return out


def bootstrap():
    values = np.round(random.gamma(1.5, 2, 25), 3)
    out = {"values": values.tolist()}
    for method in ["percentile", "BCa"]:
        for name, statistic in [("mean", np.mean), ("median", np.median)]:
            result = stats.bootstrap((values,), statistic, n_resamples=200_000, method=method, random_state=1, batch=20_000)
            interval = result.confidence_interval
            out[f"{method} {name}"] = [float(interval.low), float(interval.high), float(result.standard_error)]
    return out


def power():
    out = {"t": [], "counts": []}
    for effect, n, alternative in [
        (0.5, 20, "two-sided"),
        (0.3, 60, "larger"),
        (-0.4, 35, "smaller"),
        (0.9, 6, "two-sided"),
    ]:
        value = TTestPower().power(effect, n, 0.05, alternative=alternative)
        ours = {"larger": "greater", "smaller": "less"}.get(alternative, alternative)
        out["t"].append({"effect": effect, "n": n, "alternative": ours, "power": float(value)})
    for control, ratio, dispersion, follow_up, allocation, n in [
        (1.2, 0.5, 1.5, 1, 1, 60),
        (4, 0.7, 0.8, 2, 2, 90),
        (0.6, 0.6, 2.2, 1.5, 0.5, 150),
    ]:
        for ours, theirs in [("planned", "alt"), ("pooled", "score")]:
            # Its first arm is the treated one.
            value = power_negbin_ratio_2indep(
                control * ratio,
                control,
                n * allocation,
                dispersion=dispersion,
                nobs_ratio=1 / allocation,
                exposure=follow_up,
                method_var=theirs,
                return_results=False,
            )
            out["counts"].append(
                {
                    "control": control,
                    "ratio": ratio,
                    "dispersion": dispersion,
                    "followUp": follow_up,
                    "allocation": allocation,
                    "nullVariance": ours,
                    "n": n,
                    "power": float(value),
                }
            )
    return out


def described():
    values = figures(23)
    other = np.round(values + random.normal(0, 0.2, 23), 1)
    return {
        "values": values.tolist(),
        "other": other.tolist(),
        "mean": float(values.mean()),
        "sd": float(values.std(ddof=1)),
        "quantiles": {str(p): float(np.quantile(values, p)) for p in (0, 0.025, 0.25, 0.5, 0.9, 1)},
        "kendall": float(stats.kendalltau(values, other).statistic),
    }


versions = {"python": platform.python_version()}
for module in (np, scipy, statsmodels, pd, scikit_posthocs):
    versions[module.__name__] = module.__version__
print(
    json.dumps(
        {
            "madeBy": "bench/peers/golden_statistics.py",
            "date": datetime.date.today().isoformat(),
            "versions": versions,
            "distributions": distributions(),
            "described": described(),
            "paired": paired(),
            "unpaired": unpaired(),
            "multiple": multiple(),
            "friedman": friedman(),
            "bootstrap": bootstrap(),
            "power": power(),
        },
        indent=1,
    )
)
