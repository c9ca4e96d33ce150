import cluster from 'node:cluster'
import type { OtpOptions } from './options.js'
import { MemoryStore } from '../stores/memory/memory-store.js'
import type { OtpStore } from '../stores/store.js'
import { OptionChecker } from '../validate.js'
import { warnOnce } from '../warn.js'

const check = new OptionChecker('emailOtp')

/** The host's store, or one in memory. @throws OtpError `invalid_option` */
export function resolveStore({ store, now }: OtpOptions): OtpStore {
  const isShared = hasOtherProcesses()
  if (isShared && store instanceof MemoryStore) warnAboutMemoryStore()
  if (store === undefined) {
    if (isShared || process.env.NODE_ENV === 'production') warnAboutMemoryStore()
    return new MemoryStore(now === undefined ? {} : { now })
  }
  for (const operation of ['open', 'redeem', 'spend'] as const) {
    if (typeof (store as Partial<OtpStore> | null)?.[operation] === 'function') continue
    throw check.invalid('store', store, `It lacks ${operation}(); give an OtpStore, such as new MemoryStore().`)
  }
  if (store.deadline !== undefined) check.seconds('store.deadline', store.deadline, 0.1, 60)
  return store
}

/** Whether this process is one of a cluster, or of PM2, which usually runs several. */
function hasOtherProcesses(): boolean {
  return cluster.isWorker || process.env.NODE_APP_INSTANCE !== undefined || process.env.pm_id !== undefined
}

function warnAboutMemoryStore(): void {
  const warning =
    'codes and limits are in the memory of this process: with more processes, set `store` to a RedisStore or PostgresStore.'
  warnOnce('OTP_MEMORY_STORE', warning)
}
