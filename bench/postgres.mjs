// The Postgres store beside SELECT 1 through the same pool.
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PostgresStore } from '../dist/index.js'
import { operations } from './operations.mjs'
import { compare } from './measure.mjs'
import { print, table } from './report.mjs'
import { startPostgres } from './servers.mjs'

export async function postgres(slices) {
  const server = await startPostgres()
  if (!server) return print('PostgreSQL is not on this machine: no figures.\n')
  const pool = new pg.Pool({ host: '127.0.0.1', port: server.port, user: 'postgres', database: 'postgres', max: 10 })
  pool.on('error', () => undefined)
  await untilStarted(() => pool.query('SELECT 1'))
  await pool.query(PostgresStore.schema)
  const made = await operations(new PostgresStore({ query: (sql, values) => pool.query(sql, values) }), 500)
  const all = {
    'SELECT 1': { run: () => pool.query('SELECT 1') },
    'redeem, wrong': made.wrong,
    'redeem, right': made.right,
  }
  print('### PostgreSQL through pg, fsync off, for information')
  print()
  const calls = slices.calls / 10
  table(
    '64 in flight on 10 connections',
    await compare({ ...all, open: made.open }, { ...slices, calls, inFlight: 64 }),
  )
  table('one after the other', await compare({ ...all, open: made.open }, { ...slices, calls: calls / 5, inFlight: 1 }))
  await pool.end()
  server.stop()
}

/** The server listens before it accepts queries. */
async function untilStarted(query) {
  for (;;) {
    try {
      return await query()
    } catch (error) {
      if (error.code !== '57P03') throw error // cannot_connect_now
      await sleep(25)
    }
  }
}
