import type { OtpRequest, OtpResponse } from '../express-types.js'
import { type PageState, renderSamplePage } from '../http/sample-page.js'
import { composeMime } from '../mail/mime.js'
import { composeSampleMail } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { textDirection } from '../views/locales.js'
import type { Finding } from '../views/mail-findings.js'
import { type ArrivedMail, htmlWithImages, readMail } from './arrived-mail.js'
import { type PreviewFailure, previewFailure } from './preview-failure.js'
import type { Selection } from './selection.js'
import { parseValues, type TypedValues } from './typed-values.js'
import { type VariableRow, variableRows } from './variable-rows.js'

export interface PreviewDeps {
  readonly services: Services
  readonly typedValues: TypedValues
}

/** A mail or page with the values of a sample. */
export interface Preview {
  /** For the frame; empty if it cannot be rendered. */
  readonly html: string
  readonly direction: 'ltr' | 'rtl'
  /** A mail as it would arrive; null of a page. */
  readonly mail: ArrivedMail | null
  readonly code: string
  readonly variables: readonly VariableRow[]
  readonly findings: readonly Pick<Finding, 'level' | 'rule' | 'part' | 'message' | 'cure'>[]
  readonly failure: PreviewFailure | null
  /** The values that were typed, as JSON. */
  readonly typed: string
  /** Why they are not in it; else empty. */
  readonly valuesError: string
}

/** Renders what is selected, as the host does it. Never rejects: a mistake in a template is what the developer looks for. */
export async function createPreview(
  deps: PreviewDeps,
  selection: Selection,
  req: OtpRequest,
  res: OtpResponse,
): Promise<Preview> {
  const { view, locale } = selection
  const typed = deps.typedValues.textOf(selection.values)
  const { values, valuesError } = readValues(typed)
  const empty = { html: '', mail: null, code: '', variables: [], findings: [], failure: null }
  const base: Preview = { ...empty, typed, valuesError, direction: textDirection(locale) }
  try {
    return view.kind === 'mail'
      ? { ...base, ...(await mailPreview(deps.services, selection, view.name, values)) }
      : { ...base, ...(await pagePreview(deps.services, selection, view.name, values, req, res)) }
  } catch (error) {
    return { ...base, failure: previewFailure(error) }
  }
}

async function mailPreview(
  services: Services,
  { locale, sample }: Selection,
  purpose: string,
  values: Record<string, unknown>,
): Promise<Partial<Preview>> {
  const { context, message, findings } = await composeSampleMail(services, { purpose, locale, sample, values })
  const mail = await readMail((await composeMime(message)).raw)
  return { html: htmlWithImages(mail), mail, code: context.code, variables: variableRows('mail', context), findings }
}

async function pagePreview(
  services: Services,
  { locale, sample: sampleName }: Selection,
  state: PageState,
  values: Record<string, unknown>,
  req: OtpRequest,
  res: OtpResponse,
): Promise<Partial<Preview>> {
  const sample = services.views.samples.find(({ name }) => name === sampleName)
  if (!sample) throw new Error(`There is no sample "${sampleName}".`)
  const { html, context, failures } = await renderSamplePage(services, req, res, { state, locale, sample, values })
  const [first] = failures
  return { html, variables: variableRows('page', context), failure: first ? previewFailure(first) : null }
}

function readValues(text: string): { values: Record<string, unknown>; valuesError: string } {
  try {
    return { values: parseValues(text), valuesError: '' }
  } catch (error) {
    return { values: {}, valuesError: (error as Error).message }
  }
}
