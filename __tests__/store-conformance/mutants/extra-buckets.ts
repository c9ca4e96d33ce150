import { key, type Mutant, nextTurn, type Operations } from './mutant.js'
import type { ExtraBucket, OpenOutcome, OpenRequest } from '../../../src/stores/store.js'

/** The bucket of a request that counts mails, by its name. */
const mailsOf = ({ sends }: OpenRequest): ExtraBucket => ({ bucket: 'sends', ...sends })

/** Takes a permit from each bucket that has one. */
async function takeEach(good: Operations, user: string, buckets: readonly ExtraBucket[]): Promise<void> {
  for (const { bucket, capacity, refill } of buckets) await good.spend({ user, bucket, capacity, refill })
}

/** The index of the extra bucket that refused the request, or -1. */
function emptyExtra(opened: OpenOutcome, { extraBuckets = [] }: OpenRequest): number {
  return opened.outcome === 'throttled' ? extraBuckets.findIndex(({ bucket }) => bucket === opened.bucket) : -1
}

export const extraBuckets: readonly Mutant[] = [
  {
    fault: 'extra buckets are ignored',
    noticedBy: 'opening takes a permit from each extra bucket',
    make: (good) => ({ open: (request) => good.open({ ...request, extraBuckets: [] }) }),
  },
  {
    fault: 'an empty list of extra buckets switches sends off',
    noticedBy: 'an empty list of extra buckets is like none',
    make: (good) => ({
      open: (request) =>
        good.open(
          request.extraBuckets?.length === 0 ? { ...request, sends: { capacity: 1_000, refill: 600 } } : request,
        ),
    }),
  },
  {
    fault: 'extra buckets are taken from after the challenge was opened',
    noticedBy: 'an empty extra bucket refuses to open',
    make: (good) => ({
      async open({ extraBuckets = [], ...request }) {
        const opened = await good.open(request)
        if (opened.outcome !== 'opened') return opened
        for (const { bucket, capacity, refill, onlyIfFresh = false } of extraBuckets) {
          if (onlyIfFresh && opened.repeated) continue
          const spent = await good.spend({ user: request.user, bucket, capacity, refill })
          if (spent.outcome === 'throttled') return { ...spent, bucket }
        }
        return opened
      },
    }),
  },
  {
    fault: 'extra buckets are taken from one after the other until one is empty',
    noticedBy: 'an empty extra bucket refuses to open',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const before = request.extraBuckets?.slice(0, Math.max(0, emptyExtra(opened, request))) ?? []
        await takeEach(good, request.user, before)
        return opened
      },
    }),
  },
  {
    fault: 'a refusal because of an extra bucket takes a send',
    noticedBy: 'concurrent opens take all permits or none',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (emptyExtra(opened, request) >= 0) await takeEach(good, request.user, [mailsOf(request)])
        return opened
      },
    }),
  },
  {
    fault: 'extra buckets are taken from although sends or the resend wait refuses',
    noticedBy: 'a refusal because of sends or the resend wait',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const isRefusedBefore = opened.outcome === 'throttled' && emptyExtra(opened, request) < 0
        if (isRefusedBefore) await takeEach(good, request.user, request.extraBuckets ?? [])
        return opened
      },
    }),
  },
  {
    fault: 'the first empty extra bucket is named, not the one with the longest wait',
    noticedBy: 'of several empty buckets the one with the longest wait',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'throttled') return opened
        for (const { bucket, capacity, refill } of request.extraBuckets ?? []) {
          const spent = await good.spend({ user: request.user, bucket, capacity, refill })
          if (spent.outcome === 'throttled') return { ...spent, bucket }
          await good.spend({ user: request.user, bucket, capacity, refill, permits: -1 })
        }
        return opened
      },
    }),
  },
  {
    fault: 'the last of the extra buckets with equal waits is named',
    noticedBy: 'of equal waits resend is named first',
    make: (good) => ({
      open: ({ extraBuckets = [], ...request }) => good.open({ ...request, extraBuckets: [...extraBuckets].reverse() }),
    }),
  },
  {
    fault: 'the wait for an extra bucket is always that of a whole permit',
    noticedBy: 'an extra bucket has a permit again to the second',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        const retryAfter = request.extraBuckets?.[emptyExtra(opened, request)]?.refill
        return opened.outcome === 'throttled' && retryAfter !== undefined ? { ...opened, retryAfter } : opened
      },
    }),
  },
  {
    fault: 'a repeated challenge takes from buckets that count fresh ones only',
    noticedBy: 'a bucket that counts fresh challenges only',
    make: (good) => ({
      open: ({ extraBuckets = [], ...request }) =>
        good.open({ ...request, extraBuckets: extraBuckets.map((extra) => ({ ...extra, onlyIfFresh: false })) }),
    }),
  },
  {
    fault: 'a fresh challenge in place of one that has ended counts as repeated',
    noticedBy: 'a bucket that counts fresh challenges only',
    make: (good) => ({
      open({ extraBuckets = [], ...request }) {
        const asked = extraBuckets.filter(({ onlyIfFresh = false }) => !(onlyIfFresh && request.existing))
        return good.open({ ...request, extraBuckets: asked })
      },
    }),
  },
  {
    fault: 'the name of the bucket for mails is ignored',
    noticedBy: 'a bucket for mails with a name of its own',
    make: (good) => ({
      open: ({ sends: { capacity, refill }, ...request }) => good.open({ ...request, sends: { capacity, refill } }),
    }),
  },
  {
    fault: 'a refusal reports the own name of the bucket for mails',
    noticedBy: 'a bucket for mails with a name of its own',
    make: (good) => ({
      async open(request) {
        const opened = await good.open(request)
        if (opened.outcome !== 'throttled' || opened.bucket !== 'sends') return opened
        return { ...opened, bucket: mailsOf(request).bucket }
      },
    }),
  },
  {
    fault: 'spend refunds other buckets than those that opening takes from',
    noticedBy: 'permits of a named bucket for mails and of extra buckets',
    make: (good) => {
      const opening = new Set<string>()
      return {
        open(request) {
          const { user, extraBuckets = [] } = request
          for (const { bucket } of [mailsOf(request), ...extraBuckets]) opening.add(key({ user, id: bucket }))
          return good.open(request)
        },
        async spend(request) {
          const isLost = request.permits === -1 && opening.has(key({ user: request.user, id: request.bucket }))
          return isLost && request.bucket !== 'sends' ? { outcome: 'spent' } : good.spend(request)
        },
      }
    },
  },
  {
    fault: 'extra buckets are read first and taken from later',
    noticedBy: 'of 20 concurrent opens one succeeds',
    make: (good) => {
      const taken = new Map<string, number>()
      return {
        async open({ extraBuckets = [], ...request }) {
          const counter = ({ bucket }: ExtraBucket): string => key({ user: request.user, id: bucket })
          const asked = extraBuckets.filter(({ onlyIfFresh = false }) => !(onlyIfFresh && request.existing))
          const empty = asked.find((extra) => (taken.get(counter(extra)) ?? 0) >= extra.capacity)
          if (empty) return { outcome: 'throttled', bucket: empty.bucket, retryAfter: empty.refill }
          await nextTurn()
          const opened = await good.open(request)
          if (opened.outcome === 'throttled') return opened
          for (const extra of asked) taken.set(counter(extra), (taken.get(counter(extra)) ?? 0) + 1)
          return opened
        },
      }
    },
  },
]
