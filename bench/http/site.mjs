/** The site that all subjects take themselves for, behind its proxy. */
export const ORIGIN = 'https://acme.example'
export const SECRET = 'x'.repeat(32)
