import { type ArrivedMail } from './arrived-mail.js'
import type { Badge } from './badges.js'
import { type Catalogue, type View, viewId } from './catalogue.js'
import { messageView } from './message-view.js'
import type { Preview } from './preview.js'
import { queryOf, type Selection } from './selection.js'

/** A mail without anything, for the panels of what cannot be rendered. */
const NO_MAIL: ArrivedMail = { raw: Buffer.alloc(0), email: { headers: [], headerLines: [], attachments: [] } }

const TABS = {
  html: 'HTML',
  text: 'Text',
  source: 'Source',
  message: 'Message',
  line: 'Inbox line',
  variables: 'Variables',
  checks: 'Checks',
  send: 'Send',
} as const

type TabId = keyof typeof TABS

const MAIL_TABS: readonly TabId[] = ['html', 'text', 'source', 'message', 'line', 'variables', 'checks', 'send']
const PAGE_TABS: readonly TabId[] = ['html', 'source', 'variables', 'checks']
const ARRIVED_TABS: readonly TabId[] = ['html', 'text', 'source', 'message', 'line', 'checks']

export interface ScreenFrame {
  /** Where the workbench is mounted. */
  readonly base: string
  readonly site: string
  readonly hasInbox: boolean
  readonly inboxCount: number
}

/** The values of the screen that shows a preview. */
export function previewScreen(
  frame: ScreenFrame,
  catalogue: Catalogue,
  badgeOf: (view: View) => Badge,
  selection: Selection,
  preview: Preview,
): object {
  const { view, locale, sample, values } = selection
  const isMail = view.kind === 'mail'
  const urlOf = (change: Partial<Selection>): string => `${frame.base}/${queryOf({ ...selection, ...change })}`
  const groups = (['mail', 'page'] as const).map((kind) => ({
    heading: { mail: 'Mails', page: 'Pages' }[kind],
    entries: catalogue.views
      .filter((one) => one.kind === kind)
      .map((one) => ({
        id: viewId(one),
        label: labelOf(one),
        badge: badgeOf(one),
        href: urlOf({ view: one }),
        isCurrent: viewId(one) === viewId(view),
      })),
  }))
  return {
    ...frame,
    ...messageValues(preview.mail ?? NO_MAIL),
    ...(!isMail && { source: preview.html }),
    title: `${labelOf(view)} ${view.kind}`,
    kind: 'preview',
    isInbox: false,
    isEmpty: false,
    isMail,
    canSend: isMail,
    groups,
    tabs: tabsOf(isMail ? MAIL_TABS : PAGE_TABS),
    viewId: viewId(view),
    locale,
    locales: catalogue.locales.map((tag) => ({ tag, name: languageName(tag), isCurrent: tag === locale })).sort(byName),
    sample,
    samples: catalogue.samples.map((name) => ({ name, isCurrent: name === sample })),
    values: preview.typed,
    valuesId: values,
    valuesError: preview.valuesError,
    plainUrl: urlOf({ values: '' }),
    frameUrl: `${frame.base}/frame${queryOf(selection)}`,
    emlUrl: `${frame.base}/mail.eml${queryOf(selection)}`,
    code: preview.code,
    direction: preview.direction,
    variables: preview.variables,
    findings: preview.findings,
    failure: catalogue.failure ?? preview.failure,
  }
}

/** What the panels need of a mail that arrived in the inbox. */
export function arrivedValues(mail: ArrivedMail): object {
  return { ...messageValues(mail), tabs: tabsOf(ARRIVED_TABS), isMail: true, canSend: false, code: '', direction: '' }
}

function messageValues(mail: ArrivedMail): object {
  const message = messageView(mail)
  return { message: { ...message, initial: message.from.slice(0, 1).toUpperCase() }, source: message.source }
}

/** The mail of plain access is the one whose templates are in `mail/code`. */
function labelOf({ kind, name }: View): string {
  return kind === 'mail' && name === 'access' ? 'code' : name
}

function tabsOf(ids: readonly TabId[]): object[] {
  return ids.map((id) => ({ id, label: TABS[id], isChecks: id === 'checks' }))
}

const names = new Intl.DisplayNames('en', { type: 'language' })

function languageName(tag: string): string {
  return names.of(tag) ?? tag
}

function byName(a: { name: string }, b: { name: string }): number {
  return a.name.localeCompare(b.name, 'en')
}
