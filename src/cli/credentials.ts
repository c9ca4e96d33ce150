const HIDDEN = '•••'
const CREDENTIAL = /secret|pass|token|key|credential|pfx|^auth$/i
const NO_CREDENTIAL = /^(user|type|method)$/i
/** Shorter texts stand in any output by chance. */
const MIN_LENGTH = 4
const MAX_DEPTH = 8

/** The texts that no output may show. */
export class Credentials {
  readonly #texts = new Set<string>()
  /** Objects may refer to each other. */
  readonly #seen = new Set<object>()

  /** @param env variables whose names say so, and all URLs with a login */
  constructor(env: NodeJS.ProcessEnv) {
    for (const [name, value = ''] of Object.entries(env)) {
      if (CREDENTIAL.test(name) && value.length >= 8) this.#add(value)
    }
  }

  /** Adds all texts in a value that stand below a name of a credential, and the passwords of URLs. */
  addFrom(value: unknown, isCredential = false, depth = 0): void {
    if (typeof value === 'string') this.#addText(value, isCredential)
    if (typeof value !== 'object' || value === null || depth > MAX_DEPTH || this.#seen.has(value)) return
    this.#seen.add(value)
    for (const [name, member] of Object.entries(value)) {
      this.addFrom(member, (isCredential && !NO_CREDENTIAL.test(name)) || CREDENTIAL.test(name), depth + 1)
    }
  }

  hide(text: string): string {
    const longestFirst = [...this.#texts].sort((a, b) => b.length - a.length)
    return longestFirst.reduce((shown, one) => shown.replaceAll(one, HIDDEN), text)
  }

  /** Of a message that others wrote: the logins of URLs too, known or not. */
  hideInMessage(text: string): string {
    return this.hide(text).replace(/(?<=:\/\/)[^\s/@]+(?=@)/g, HIDDEN)
  }

  #addText(text: string, isCredential: boolean): void {
    if (isCredential) this.#add(text)
    const password = /^\w+:\/\/[^\s/:@]*:([^\s/@]+)@/.exec(text)?.[1]
    if (password === undefined) return
    this.#add(password)
    this.#add(decode(password))
  }

  #add(text: string): void {
    if (text.length < MIN_LENGTH) return
    this.#texts.add(text)
    this.#texts.add(JSON.stringify(text).slice(1, -1))
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
