import { applyLook, measureFrame, restoreLook } from './frame.js'

const base = document.body.dataset.base
const frame = document.getElementById('frame')
const live = document.getElementById('live')
const parser = new DOMParser()
/** Counts visits, so that an answer that is overtaken is dropped. */
let visit = 0

start()

function start() {
  document.addEventListener('click', onClick)
  document.addEventListener('change', onChange)
  document.addEventListener('submit', onSubmit)
  document.addEventListener('keydown', onKey)
  window.addEventListener('popstate', () => void show(location.href))
  if (frame) {
    frame.addEventListener('load', applyLook)
    restoreLook()
    applyLook()
    selectTab(localStorage.getItem('workbench.tab') || 'html')
  }
  afterShow()
  listen()
}

/** Fetches a screen and takes over what differs from this one. The frame and what is being typed stay. */
async function show(url, options) {
  const mine = ++visit
  const response = await fetch(url, options)
  const next = parser.parseFromString(await response.text(), 'text/html')
  if (mine !== visit) return
  const nextFrame = next.getElementById('frame')
  if (Boolean(nextFrame) !== Boolean(frame) || hasOtherTabs(next)) return void location.assign(response.url)
  const isSameUrl = response.url === location.href
  if (!isSameUrl) history.pushState(null, '', response.url)
  document.title = next.title
  const replaced = [...document.querySelectorAll('[data-live]')].filter((old) => {
    const fresh = next.getElementById(old.id)
    return fresh && !(isSameUrl && isBeingTyped(old)) && replace(old, document.adoptNode(fresh))
  })
  if (replaced.length === 0 && isSameUrl) return
  if (nextFrame) frame.contentWindow.location.replace(nextFrame.src)
  afterShow()
}

/** Puts a part of the next screen into this one, if it differs. Dots, opened details and the focus stay. */
function replace(old, fresh) {
  for (const { dataset } of old.querySelectorAll('[data-level]')) setDot(fresh, dataset.id, dataset.level)
  for (const details of fresh.querySelectorAll('details')) details.open ||= old.querySelector('details').open
  if (fresh.isEqualNode(old)) return false
  const focused = old.contains(document.activeElement) ? selectorOf(document.activeElement) : ''
  old.replaceWith(fresh)
  if (focused) fresh.querySelector(focused)?.focus()
  return true
}

function isBeingTyped(part) {
  return [...part.querySelectorAll('textarea')].some(({ value, defaultValue }) => value !== defaultValue)
}

/** After the first paint: dots and measurements are made while the developer looks. */
function afterShow() {
  if (document.body.dataset.kind !== 'inbox') void loadDots()
  if (frame) void measureFrame()
}

function hasOtherTabs(next) {
  const ids = (doc) => [...doc.querySelectorAll('[data-tab]')].map((tab) => tab.dataset.tab).join()
  return ids(next) !== ids(document)
}

function selectorOf({ name, value, id, tagName, pathname, search }) {
  if (tagName === 'A') return `a[href="${CSS.escape(pathname + search)}"]`
  return id ? `#${id}` : tagName === 'INPUT' ? `[name="${name}"][value="${value}"]` : `[name="${name}"]`
}

/* Choices */

function onClick(event) {
  const tab = event.target.closest('[data-tab]')
  if (tab) return selectTab(tab.dataset.tab)
  const link = event.target.closest('.list a, #toolbar a')
  const isPlain = !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0
  if (!link || !isPlain) return
  event.preventDefault()
  void show(link.href)
}

function onChange({ target }) {
  const form = target.closest('#choices')
  if (form) return void show(`${form.action}?${new URLSearchParams(new FormData(form))}`)
  if (!target.closest('.frame-bar')) return
  applyLook()
  if (target.name) localStorage.setItem(`workbench.${target.name}`, target.value)
}

function onSubmit(event) {
  const form = event.target
  const body = new URLSearchParams(new FormData(form))
  if (form.id === 'values-form') {
    event.preventDefault()
    void show(form.action, { method: 'POST', body })
  }
  if (form.id === 'send-form') {
    event.preventDefault()
    void send(form, body)
  }
}

async function send(form, body) {
  const button = form.querySelector('button')
  const result = document.getElementById('send-result')
  button.disabled = true
  result.textContent = 'Sending …'
  const response = await fetch(form.action, { method: 'POST', body })
  result.replaceChildren(...parser.parseFromString(await response.text(), 'text/html').body.childNodes)
  button.disabled = false
}

function onKey(event) {
  const tab = event.target.closest('[role="tab"]')
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
  if (!tab || !step) return
  const tabs = [...document.querySelectorAll('[role="tab"]')]
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length]
  next.focus()
  selectTab(next.dataset.tab)
}

function selectTab(wanted) {
  const tabs = [...document.querySelectorAll('[data-tab]')]
  const id = tabs.some((tab) => tab.dataset.tab === wanted) ? wanted : 'html'
  for (const tab of tabs) {
    const isSelected = tab.dataset.tab === id
    tab.setAttribute('aria-selected', String(isSelected))
    tab.tabIndex = isSelected ? 0 : -1
    document.getElementById(`panel-${tab.dataset.tab}`).hidden = !isSelected
  }
  localStorage.setItem('workbench.tab', id)
}

/* Dots and events */

async function loadDots() {
  const mine = visit
  const response = await fetch(`${base}/levels${location.search}`)
  if (!response.ok || mine !== visit) return
  for (const [id, level] of Object.entries(await response.json())) setDot(document, id, level)
}

function setDot(root, id, level) {
  const entry = root.querySelector(`.entry[data-id="${CSS.escape(id)}"]`)
  if (!entry) return
  entry.dataset.level = level
  entry.title = { ok: 'No finding', warning: 'It has warnings', error: 'It has errors' }[level]
}

function listen() {
  const events = new EventSource(`${base}/live`)
  events.addEventListener('open', () => {
    live.textContent = 'Live'
    void show(location.href) // what happened before it was open
  })
  events.addEventListener('error', () => {
    live.textContent = 'The app is not running.'
  })
  events.addEventListener('change', () => void show(location.href))
  events.addEventListener(
    'mail',
    () => void show(document.body.dataset.kind === 'inbox' ? `${base}/inbox` : location.href),
  )
}
