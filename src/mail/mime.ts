import { createTransport } from 'nodemailer'

/** A message as it goes over the wire. */
export interface MimeMessage {
  readonly raw: Buffer
  readonly messageId: string
  readonly envelope: { readonly to: readonly string[] }
}

const composer = createTransport({ streamTransport: true, buffer: true })

/** Composes a message of nodemailer, of ours or of the host's, without sending it. */
export async function composeMime(message: Readonly<Record<PropertyKey, unknown>>): Promise<MimeMessage> {
  const { envelope, messageId, message: raw } = await composer.sendMail({ ...message })
  return { raw: raw as Buffer, messageId, envelope: { ...envelope, to: [...envelope.to] } }
}
