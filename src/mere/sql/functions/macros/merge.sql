-- Statistics merged from parts: mere_moments takes a list of [count, mean, sum of squared differences], mere_co_moments
-- one of [count, mean x, mean y, sxx, syy, sxy]; a count is never 0. Over no parts, NULL.
-- Equal values give squares that are 0 but for rounding: mere_is_flat.

mere_moments(parts) = list_reduce(parts, lambda a, b: [
    a[1] + b[1],
    a[2] + (b[2] - a[2]) * b[1] / (a[1] + b[1]),
    a[3] + b[3] + (b[2] - a[2]) * (b[2] - a[2]) * a[1] * b[1] / (a[1] + b[1])])

mere_pop_of(m) = m[3] / m[1]

mere_samp_of(m) = CASE WHEN m[1] > 1 THEN m[3] / (m[1] - 1) END

mere_var_pop(parts) = mere_pop_of(mere_moments(parts))

mere_var_samp(parts) = mere_samp_of(mere_moments(parts))

mere_stddev_pop(parts) = sqrt(mere_var_pop(parts))

mere_stddev_samp(parts) = sqrt(mere_var_samp(parts))

mere_co_moments(parts) = list_reduce(parts, lambda a, b: [
    a[1] + b[1],
    a[2] + (b[2] - a[2]) * b[1] / (a[1] + b[1]),
    a[3] + (b[3] - a[3]) * b[1] / (a[1] + b[1]),
    a[4] + b[4] + (b[2] - a[2]) * (b[2] - a[2]) * a[1] * b[1] / (a[1] + b[1]),
    a[5] + b[5] + (b[3] - a[3]) * (b[3] - a[3]) * a[1] * b[1] / (a[1] + b[1]),
    a[6] + b[6] + (b[2] - a[2]) * (b[3] - a[3]) * a[1] * b[1] / (a[1] + b[1])])

mere_is_flat(n, mean, squares) = squares <= n * mean * mean * 1e-30::DOUBLE

mere_slope_of(m) = CASE WHEN mere_is_flat(m[1], m[2], m[4]) THEN 'nan'::DOUBLE ELSE m[6] / m[4] END

mere_intercept_of(m) = CASE WHEN NOT mere_is_flat(m[1], m[2], m[4]) THEN m[3] - m[6] / m[4] * m[2] END

mere_r2_of(m) = CASE WHEN NOT mere_is_flat(m[1], m[2], m[4]) THEN
    CASE WHEN mere_is_flat(m[1], m[3], m[5]) THEN 1.0::DOUBLE ELSE m[6] * m[6] / (m[4] * m[5]) END END

mere_corr_of(m) = CASE WHEN mere_is_flat(m[1], m[2], m[4]) OR mere_is_flat(m[1], m[3], m[5]) THEN 'nan'::DOUBLE ELSE m[6] / (sqrt(m[4]) * sqrt(m[5])) END

mere_covar_samp_of(m) = CASE WHEN m[1] > 1 THEN m[6] / (m[1] - 1) END

mere_corr(parts) = mere_corr_of(mere_co_moments(parts))

mere_covar_pop(parts) = list_extract(mere_co_moments(parts), 6) / list_extract(mere_co_moments(parts), 1)

mere_covar_samp(parts) = mere_covar_samp_of(mere_co_moments(parts))

mere_regr_avgx(parts) = list_extract(mere_co_moments(parts), 2)

mere_regr_avgy(parts) = list_extract(mere_co_moments(parts), 3)

mere_regr_count(parts) = CAST(coalesce(list_extract(mere_co_moments(parts), 1), 0) AS UINTEGER)

mere_regr_intercept(parts) = mere_intercept_of(mere_co_moments(parts))

mere_regr_r2(parts) = mere_r2_of(mere_co_moments(parts))

mere_regr_slope(parts) = mere_slope_of(mere_co_moments(parts))

mere_regr_sxx(parts) = list_extract(mere_co_moments(parts), 4)

mere_regr_syy(parts) = list_extract(mere_co_moments(parts), 5)

mere_regr_sxy(parts) = list_extract(mere_co_moments(parts), 6)
