import path from 'node:path'
import { composeSampleMail, sampleNames, samplePurposes } from '../mail/sample-mail.js'
import type { Services } from '../services.js'
import { BUILT_IN, listViews } from '../views/files.js'
import { lookupOrder } from '../views/locales.js'
import type { MailPart } from '../views/mail-findings.js'
import type { Found } from './found.js'
import type { Io } from './io.js'

type FindFile = (view: string, part: MailPart, locale: string) => string

/** Renders each mail in each language with each sample. What is found several times is told once. */
export async function findInMails(services: Services, io: Io): Promise<readonly Found[]> {
  const { views, settings } = services
  const fileOf = fileFinder(settings.viewFolders)
  const found = new Map<string, Found>()
  for (const purpose of samplePurposes(views)) {
    for (const locale of views.locales) {
      io.progress(`mail ${purpose} ${locale}`)
      for (const sample of sampleNames(views)) {
        const { rendered, findings } = await composeSampleMail(services, { purpose, locale, sample })
        for (const { level, rule, part, message, cure } of findings) {
          const place = { file: fileOf(rendered.view, part, locale), line: 1, column: 1 }
          const key = JSON.stringify([place.file, rule, message])
          const { mails, locales, samples } = found.get(key) ?? { mails: [], locales: [], samples: [] }
          const where = { mails: add(mails, purpose), locales: add(locales, locale), samples: add(samples, sample) }
          found.set(key, { ...place, level, rule, message, cure, ...where })
        }
      }
    }
  }
  io.progress('')
  return [...found.values()]
}

function add(names: readonly string[], name: string): readonly string[] {
  return names.includes(name) ? names : [...names, name]
}

/** The template of a part of a mail: the host's own, else its layout, else ours. */
function fileFinder(folders: readonly string[]): FindFile {
  const files = folders.flatMap((folder) => listViews(folder, null, () => undefined))
  return (view, part, locale) => {
    const tags = [...lookupOrder(locale), '']
    const stems = [`mail/${view}/${part}`, `mail/${view}/layout.${part}`, `layouts/mail.${part}`]
    const own = stems.flatMap((stem) =>
      tags.flatMap((tag) => files.filter((one) => one.stem === stem && one.locale === tag)),
    )
    return own[0]?.absolute ?? path.join(BUILT_IN, 'mail', view === 'alert' ? view : 'code', `${part}.hbs`)
  }
}
