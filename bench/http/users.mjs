// Who goes through a journey: a jar of cookies, the code that was mailed, and a wrong one.

export const emailOf = (number) => `person-${number}@example.com`

let made = 0

/** Users that nobody has seen before; or the first ones again, where the subject has made them beforehand. */
export function usersOf({ isPool, users }) {
  return Array.from({ length: users }, (_, i) => {
    const number = isPool ? i : made++
    return { id: `user-${number}`, email: emailOf(number), jar: new Map() }
  })
}

export function keepCookies(user, cookies = []) {
  for (const cookie of cookies) {
    const [pair] = cookie.split(';', 1)
    const at = pair.indexOf('=')
    user.jar.set(pair.slice(0, at), pair.slice(at + 1))
  }
}

export function keepCode(user, code) {
  const last = Number(code.at(-1))
  user.code = code
  user.wrong = `${code.slice(0, -1)}${(last + 1) % 10}`
}
