/** better-sqlite3 is native: where there is no build of it and no compiler, its subjects are left out. */
export async function hasSqlite() {
  try {
    const { default: Database } = await import('better-sqlite3')
    new Database(':memory:').close()
    return true
  } catch {
    return false
  }
}
