import type { Brand } from './brand.js'

export interface Site {
  readonly name: string
  readonly origin: string | null
  readonly domain: string | null
  readonly supportUrl: string | null
}

/** The pages, by the name of their file in `views/pages`. */
export const PAGES = ['email', 'send', 'code', 'verified', 'continue', 'problem'] as const
export type PageName = (typeof PAGES)[number]

/** What every page template may use. Minor versions only add members; major ones may remove some. */
export interface PageContext {
  readonly page: PageName
  readonly title: string
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  readonly site: Site
  readonly brand: Brand
  /** Where the router is mounted. */
  readonly path: string
  /** For the URLs of assets, `?v=…`: changes as soon as any of them does. */
  readonly assetVersion: string
  /** The sealed step-up, for the hidden field `for` of each form; empty when no guard redirected here. */
  readonly for: string
  /** The further hidden fields of each form, from the host's `formFields`. */
  readonly fields: readonly { readonly name: string; readonly value: string }[]
  /** Identifies the step-up for the page's script if it may submit the "send" form by itself; else empty. */
  readonly autoSend: string
  readonly purpose: string
  /** The action in words; empty for plain access. */
  readonly purposeText: string
  /** `typed`: the rejected input, to be corrected. `changeable`: whether another address may be typed. */
  readonly recipient: { readonly masked: string; readonly typed: string; readonly changeable: boolean }
  readonly code: {
    readonly label: string
    readonly length: number
    readonly isLong: boolean
    readonly inputMode: 'numeric' | 'text'
  }
  /** Such as "30 days" if this browser may be trusted for so long (field `trust`, value `yes`); else empty. */
  readonly trustDays: string
  readonly expires: { readonly in: string }
  readonly resend: { readonly seconds: number }
  readonly request: { readonly tag: string }
  /** Delivery status of the mail (`sent`, `queued`, `failed`, or empty), and the same in words. */
  readonly delivery: string
  readonly deliveryText: string
  /** What went wrong, in words for the reader; else empty. */
  readonly error: string
  /** Target of the links "continue" and "try again". */
  readonly returnTo: string
  /** What the host's `locals` returned. */
  readonly custom: Readonly<Record<string, unknown>>
}

/** A page of ours for the host's own layout, as `renderPage` gets it. */
export interface RenderedPage {
  readonly name: PageName
  /** Plain text: escape it. */
  readonly title: string
  /** HTML of the page itself, for the inside of `body`. */
  readonly body: string
  /** HTML for the inside of `head`: our style sheet and script, and what the page needs of `meta`. */
  readonly head: string
  readonly status: number
  readonly locale: string
  readonly dir: 'ltr' | 'rtl'
  /** The variables of the page, as its template gets them. */
  readonly context: PageContext
}
