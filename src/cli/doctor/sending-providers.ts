/** A provider of mail servers. */
export interface SendingProvider {
  readonly name: string
  /** The domain that an SPF record includes to allow its servers. */
  readonly include: string
  /**
   * Whether it puts a bounce domain of its own, or one that is set up there, into the envelope. SPF is about the domain of
   * the envelope (RFC 7208 2.4), so the record of the From domain is then not asked.
   */
  readonly hasOwnEnvelope: boolean
}

type Row = readonly [server: RegExp, name: string, include: string, envelope: 'own' | 'from']

/** By the name of the server, each with a page that says it. */
const PROVIDERS: readonly Row[] = [
  // https://support.google.com/a/answer/33786
  [/^(smtp|smtp-relay)\.(gmail|google|googlemail)\.com$/, 'Google Workspace', '_spf.google.com', 'from'],
  // https://learn.microsoft.com/defender-office-365/email-authentication-spf-configure
  [/(^smtp\.office365\.com|\.mail\.protection\.outlook\.com)$/, 'Microsoft 365', 'spf.protection.outlook.com', 'from'],
  // https://www.fastmail.help/hc/en-us/articles/360060591153
  [/^smtp\.fastmail\.com$/, 'Fastmail', 'spf.messagingengine.com', 'from'],
  // https://helpdesk.gandi.net/hc/en-us/articles/14001808469404
  [/^mail\.gandi\.net$/, 'Gandi', '_mailcust.gandi.net', 'from'],
  // https://proton.me/support/anti-spoofing-custom-domain
  [/^smtp\.protonmail\.ch$/, 'Proton Mail', '_spf.protonmail.ch', 'from'],
  // https://docs.aws.amazon.com/ses/latest/dg/send-email-authentication-spf.html
  [/^email-smtp(-fips)?\.[a-z0-9-]+\.amazonaws\.com$/, 'Amazon SES', 'amazonses.com', 'own'],
  // https://support.sendgrid.com/hc/en-us/articles/21415314709147
  [/^smtp(\.eu)?\.sendgrid\.net$/, 'SendGrid', 'sendgrid.net', 'own'],
  // https://spfwise.com/en/article/postmark-spf-dkim-dmarc-setup
  [/^smtp(-broadcasts)?\.postmarkapp\.com$/, 'Postmark', 'spf.mtasv.net', 'own'],
  // https://spfwise.com/en/article/mailgun-spf-dkim-dmarc-setup
  [/^smtp(\.eu)?\.mailgun\.org$/, 'Mailgun', 'mailgun.org', 'own'],
  // https://www.suped.com/email-deliverability/answers/how-should-i-combine-spf-records-and-what-domain-should-i-use-with-sendinblue
  [/^smtp-relay\.(brevo|sendinblue)\.com$/, 'Brevo', 'spf.brevo.com', 'own'],
  // https://www.mailjet.com/blog/deliverability/mailjet-dmarcbis-is-dead-long-live-dmarc/
  [/^in(-v3)?\.mailjet\.com$/, 'Mailjet', 'spf.mailjet.com', 'own'],
]

export function providerOf(server: string): SendingProvider | null {
  const found = PROVIDERS.find(([pattern]) => pattern.test(server.toLowerCase()))
  if (!found) return null
  const [, name, include, envelope] = found
  return { name, include, hasOwnEnvelope: envelope === 'own' }
}
