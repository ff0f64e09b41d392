# Linear mixed models by lme4 and lmerTest, confidence intervals of wilcox.test, on made-up data:
# Rscript golden_mixed.R > test/golden/mixed.json      (needs lme4, lmerTest, jsonlite)
suppressPackageStartupMessages({
  library(lme4)
  library(lmerTest)
  library(jsonlite)
})
set.seed(11)

fitted <- function(name, table) {
  several <- length(unique(table$rater)) > 1
  formula <- if (several) value ~ method + (1 | case) + (1 | rater) else value ~ method + (1 | case)
  fit <- lmer(formula, table, REML = TRUE, control = lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-12)))
  variances <- as.data.frame(VarCorr(fit))
  list(
    name = name,
    readings = table,
    fixed = apply(coef(summary(fit)), 1, as.list),
    variances = setNames(as.list(variances$vcov), variances$grp),
    deviance = as.numeric(-2 * logLik(fit)),
    caseEffects = as.list(setNames(ranef(fit)$case[[1]], rownames(ranef(fit)$case)))
  )
}

crossed <- expand.grid(method = c("A", "B", "C"), case = sprintf("c%02d", 1:14), rater = c("r1", "r2", "r3", "r4"))
crossed[] <- lapply(crossed, as.character)
draw <- function(labels, sd) { u <- unique(labels); setNames(rnorm(length(u), 0, sd), u)[labels] }
crossed$value <- round(0.6 + c(A = 0, B = 0.04, C = -0.03)[crossed$method] + draw(crossed$case, 0.1) +
  draw(crossed$rater, 0.05) + rnorm(nrow(crossed), 0, 0.06), 4)

holes <- crossed[-sample(nrow(crossed), 45), ]
single <- subset(crossed, rater == "r1")
# No difference between raters beyond noise: their variance is estimated as 0.
flat <- crossed
flat$value <- round(0.6 + draw(flat$case, 0.1) + rnorm(nrow(flat), 0, 0.08), 4)
flat$value <- round(flat$value - ave(flat$value, flat$rater) + mean(flat$value), 4)

first <- round(rnorm(18, 0.6, 0.15), 3)
second <- round(first + rnorm(18, -0.03, 0.08) + (1:18) * 1e-4, 4)
interval <- wilcox.test(first, second, paired = TRUE, conf.int = TRUE, exact = TRUE)

cat(toJSON(list(
  madeBy = "bench/peers/golden_mixed.R",
  date = format(Sys.Date()),
  versions = list(R = as.character(getRversion()), lme4 = as.character(packageVersion("lme4")),
    lmerTest = as.character(packageVersion("lmerTest"))),
  models = list(fitted("crossed", crossed), fitted("holes", holes), fitted("one rater", single), fitted("no rater variance", flat)),
  hodgesLehmann = list(first = first, second = second, estimate = unname(interval$estimate),
    low = interval$conf.int[1], high = interval$conf.int[2])
), digits = 12, auto_unbox = TRUE))
cat("\n")
