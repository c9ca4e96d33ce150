import { resolverOf, type Zone } from '../../helpers/mail-world.js'
import { spfDiagnosis } from '../../../src/cli/doctor/check-spf.js'
import { evaluateSpf } from '../../../src/cli/doctor/spf.js'

const DOMAIN = 'acmecodes.net'
const SERVER = 'smtp.relay.net'
const ADDRESS = '203.0.113.7'
const zoneOf = (record: string | readonly string[], more: Zone = {}): Zone => ({
  [SERVER]: { a: [ADDRESS] },
  [DOMAIN]: { txt: typeof record === 'string' ? [record] : record },
  ...more,
})

describe('the result for one address', () => {
  const more: Zone = {
    'mx.acmecodes.net': { a: [ADDRESS], aaaa: ['2001:db8:1::7'] },
    'web.acmecodes.net': { a: ['203.0.113.99'] },
    'spf.relay.net': { txt: ['v=spf1 ip4:203.0.113.0/24 -all'] },
    'soft.relay.net': { txt: ['v=spf1 ip4:198.51.100.0/24 ~all'] },
    'empty.relay.net': { txt: ['not about SPF'] },
    'exists.acmecodes.net': { a: ['127.0.0.2'] },
  }
  const resultOf = async (record: string, address = ADDRESS) => {
    const zone = { ...zoneOf(record, more), [DOMAIN]: { txt: [record], mx: ['mx.acmecodes.net'], a: ['198.51.100.1'] } }
    return (await evaluateSpf(resolverOf(zone), DOMAIN, address)).result
  }

  test.each([
    ['v=spf1 ip4:203.0.113.7 -all', 'pass'],
    ['v=spf1 ip4:203.0.113.0/24 -all', 'pass'],
    ['V=SPF1 IP4:203.0.113.7 -ALL', 'pass'],
    ['v=spf1 ip4:203.0.113.8 -all', 'fail'],
    ['v=spf1 ip4:203.0.113.8 ~all', 'softfail'],
    ['v=spf1 ip4:203.0.113.8 ?all', 'neutral'],
    ['v=spf1 ip4:203.0.113.8', 'neutral'],
    ['v=spf1', 'neutral'],
    ['v=spf1 mx -all', 'pass'],
    ['v=spf1 mx:acmecodes.net/24 -all', 'pass'],
    ['v=spf1 a -all', 'fail'],
    ['v=spf1 a:web.acmecodes.net -all', 'fail'],
    ['v=spf1 a:web.acmecodes.net/24 -all', 'pass'],
    ['v=spf1 a:nowhere.acmecodes.net -all', 'fail'],
    ['v=spf1 include:spf.relay.net -all', 'pass'],
    ['v=spf1 -include:spf.relay.net +all', 'fail'],
    ['v=spf1 include:soft.relay.net -all', 'fail'],
    ['v=spf1 include:empty.relay.net -all', 'permerror'],
    ['v=spf1 redirect=spf.relay.net', 'pass'],
    ['v=spf1 redirect=soft.relay.net', 'softfail'],
    ['v=spf1 redirect=empty.relay.net', 'permerror'],
    ['v=spf1 -all redirect=spf.relay.net', 'fail'],
    ['v=spf1 exists:exists.acmecodes.net -all', 'pass'],
    ['v=spf1 exists:nowhere.acmecodes.net -all', 'fail'],
    ['v=spf1 exists:%{i}.acmecodes.net -all', 'unknown'],
    ['v=spf1 exists:%{i}.acmecodes.net ip4:203.0.113.7 -all', 'pass'],
    ['v=spf1 ptr -all', 'unknown'],
    ['v=spf1 exp=why.acmecodes.net ip4:203.0.113.7 -all', 'pass'],
    ['v=spf1 ipv4:203.0.113.7 -all', 'permerror'],
    ['v=spf1 ip4:203.0.113.7/40 -all', 'permerror'],
    ['v=spf1 ip4:300.0.113.7 -all', 'permerror'],
    ['v=spf1 ip6:203.0.113.7 -all', 'permerror'],
    ['v=spf1 include -all', 'permerror'],
    ['v=spf10 -all', 'none'],
    ['something else', 'none'],
  ])('%s: %s', async (record, result) => {
    expect(await resultOf(record)).toBe(result)
  })

  test.each([
    ['v=spf1 ip6:2001:db8:1::/48 -all', 'pass'],
    ['v=spf1 ip6:2001:db8:2::/48 -all', 'fail'],
    ['v=spf1 mx -all', 'pass'],
    ['v=spf1 a:mx.acmecodes.net//64 -all', 'pass'],
    ['v=spf1 ip4:203.0.113.0/24 -all', 'fail'],
  ])('of IPv6, %s: %s', async (record, result) => {
    expect(await resultOf(record, '2001:db8:1::9'.replace('::9', record.includes(' mx ') ? '::7' : '::9'))).toBe(result)
  })

  test('ten lookups are allowed, and the eleventh is a permerror', async () => {
    const chain = (length: number): Zone => {
      const names = Array.from({ length }, (_none, i) => `spf${i}.relay.net`)
      return Object.fromEntries(names.map((name, i) => [name, { txt: [`v=spf1 include:spf${i + 1}.relay.net -all`] }]))
    }
    const end = (at: number): Zone => ({ [`spf${at}.relay.net`]: { txt: [`v=spf1 ip4:${ADDRESS} -all`] } })
    const record = 'v=spf1 include:spf0.relay.net -all'
    const find = (zone: Zone) => evaluateSpf(resolverOf(zone), DOMAIN, ADDRESS)
    expect((await find(zoneOf(record, { ...chain(9), ...end(9) }))).result).toBe('pass')
    const { result, reason } = await find(zoneOf(record, { ...chain(10), ...end(10) }))
    expect([result, reason]).toEqual(['permerror', 'it needs more than 10 DNS lookups'])
  })

  test('a record that includes itself ends', async () => {
    const zone = zoneOf(`v=spf1 include:${DOMAIN} -all`)
    expect((await evaluateSpf(resolverOf(zone), DOMAIN, ADDRESS)).result).toBe('permerror')
  })

  test('more than ten mail servers behind `mx` are a permerror', async () => {
    const mx = Array.from({ length: 11 }, (_none, i) => `mx${i}.acmecodes.net`)
    const zone: Zone = { [DOMAIN]: { txt: ['v=spf1 mx -all'], mx } }
    expect((await evaluateSpf(resolverOf(zone), DOMAIN, ADDRESS)).result).toBe('permerror')
  })
})

describe('what is said about it', () => {
  const said = (zone: Zone, host: string | null = SERVER) => spfDiagnosis(resolverOf(zone), DOMAIN, host)

  test('a record that allows the server is right', async () => {
    expect(await said(zoneOf(`v=spf1 ip4:${ADDRESS} -all`))).toMatchObject({ level: 'ok' })
  })

  test('no record is an error, and the cure is one for this server', async () => {
    const found = await said(zoneOf('something else'))
    expect(found).toMatchObject({ check: 'spf', level: 'error' })
    expect(found.cure).toContain(`"v=spf1 ip4:${ADDRESS} ~all"`)
    expect((await said(zoneOf([]), 'smtp.gmail.com')).cure).toContain('"v=spf1 include:_spf.google.com ~all"')
  })

  test('two records are an error', async () => {
    const found = await said(zoneOf([`v=spf1 ip4:${ADDRESS} -all`, 'v=spf1 mx -all']))
    expect(found).toMatchObject({ level: 'error' })
    expect(found.message).toContain('acmecodes.net has 2 SPF records')
    expect(found.cure).toContain('exactly one')
  })

  test('a provider whose include is missing contradicts the record', async () => {
    const more = { 'smtp.office365.com': { a: [ADDRESS] }, 'spf.relay.net': { txt: ['v=spf1 -all'] } }
    const found = await said(zoneOf('v=spf1 include:spf.relay.net -all', more), 'smtp.office365.com')
    expect(found).toMatchObject({ level: 'error' })
    expect(found.message).toContain('contradicts the server in use: Microsoft 365 is not in it')
    expect(found.cure).toContain('include:spf.protection.outlook.com')
  })

  test('a provider whose include is there is right, whatever address takes the mail', async () => {
    const google: Zone = {
      'smtp.gmail.com': { a: [ADDRESS] },
      '_spf.google.com': { txt: ['v=spf1 ip4:192.0.2.0/24 ~all'] },
    }
    const nested: Zone = { 'spf.acmecodes.net': { txt: ['v=spf1 include:_spf.google.com ~all'] }, ...google }
    expect(await said(zoneOf('v=spf1 include:_spf.google.com -all', google), 'smtp.gmail.com')).toMatchObject({
      level: 'ok',
    })
    expect(await said(zoneOf('v=spf1 include:spf.acmecodes.net -all', nested), 'smtp.gmail.com')).toMatchObject({
      level: 'ok',
    })
  })

  test.each(['email-smtp.eu-west-1.amazonaws.com', 'smtp.sendgrid.net', 'smtp.postmarkapp.com'])(
    '%s sends with a bounce domain of its own, so no record is asked of this domain',
    async (host) => {
      const found = await said(zoneOf('v=spf1 -all'), host)
      expect(found).toMatchObject({ level: 'ok' })
      expect(found.message).toContain('bounce domain')
      expect(await said(zoneOf([]), host)).toMatchObject({ level: 'ok' })
    },
  )

  test('any other server that is not named is a warning: it may send from another address', async () => {
    const found = await said(zoneOf('v=spf1 ip4:198.51.100.1 -all'))
    expect(found).toMatchObject({ level: 'warning' })
    expect(found.message).toContain(`${ADDRESS}: fail`)
    expect(found.message).toContain('unless it sends from other addresses')
  })

  test('one address of several that is not named is a warning', async () => {
    const zone = { ...zoneOf(`v=spf1 ip4:${ADDRESS} -all`), [SERVER]: { a: [ADDRESS], aaaa: ['2001:db8:1::7'] } }
    expect((await said(zone)).message).toContain('2001:db8:1::7: fail')
  })

  test.each(['127.0.0.1', '::1', '10.1.2.3', 'fd00::1', SERVER])(
    'of %s, without a public address, it cannot be told',
    async (host) => {
      const found = await said({ ...zoneOf('v=spf1 mx -all'), [SERVER]: { a: ['192.168.1.1'] } }, host)
      expect(found).toMatchObject({ level: 'unknown' })
      expect(found.cure).toContain('Authentication-Results')
    },
  )

  test('of a transport of the host it cannot be told, but a broken record is an error', async () => {
    expect(await said(zoneOf('v=spf1 mx -all'), null)).toMatchObject({ level: 'unknown' })
    expect(await said(zoneOf('v=spf1 nonsense -all'), null)).toMatchObject({ level: 'error' })
  })

  test('a record with macros cannot be told', async () => {
    expect(await said(zoneOf('v=spf1 include:%{d}.relay.net -all'))).toMatchObject({ level: 'unknown' })
  })
})
