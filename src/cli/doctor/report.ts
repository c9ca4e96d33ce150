import type { Diagnosis } from './diagnosis.js'

/** `{ errors, warnings, checks }`, for programs. */
export function jsonReport(diagnoses: readonly Diagnosis[]): string {
  const { errors, warnings } = countsOf(diagnoses)
  return JSON.stringify({ errors, warnings, checks: diagnoses }, null, 2)
}

/** A line for each check, and its cure below. */
export function textReport(diagnoses: readonly Diagnosis[]): string {
  const lines = diagnoses.flatMap(({ check, level, message, cure }) => {
    const line = `${level.padEnd(9)}${check.padEnd(14)}${message}`
    return cure === null ? [line] : [line, `${' '.repeat(23)}→ ${cure}`]
  })
  const { errors, warnings } = countsOf(diagnoses)
  return [...lines, '', `errors: ${errors}, warnings: ${warnings}`].join('\n')
}

function countsOf(diagnoses: readonly Diagnosis[]): { errors: number; warnings: number } {
  const count = (level: Diagnosis['level']): number => diagnoses.filter((one) => one.level === level).length
  return { errors: count('error'), warnings: count('warning') }
}
