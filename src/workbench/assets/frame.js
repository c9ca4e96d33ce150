import { findingsOf } from './findings.js'
import { setInverted, setScheme, setStyleSheets } from './scheme.js'

const frame = document.getElementById('frame')
/** Counts measurements, so that one that is overtaken is dropped. */
let measurement = 0

/** The width and colours that the developer chose last. */
export function restoreLook() {
  for (const name of ['width', 'scheme']) {
    const value = localStorage.getItem(`workbench.${name}`)
    const input = document.querySelector(`.frame-bar [name="${name}"][value="${value}"]`)
    if (input) input.checked = true
  }
}

/** Shows the document as it is chosen above the frame. */
export function applyLook() {
  const doc = frame.contentDocument
  const width = document.querySelector('[name="width"]:checked').value
  const scheme = document.querySelector('[name="scheme"]:checked').value
  frame.className = `frame frame-${width} frame-${scheme}`
  if (!doc?.body) return
  setStyleSheets(doc, !document.getElementById('no-style')?.checked)
  setScheme(doc, scheme === 'dark' ? 'dark' : 'light')
  setInverted(doc, scheme === 'inverted')
}

/** In a frame of its own, 320 px wide, that nobody sees. */
export async function measureFrame() {
  const mine = ++measurement
  const { isMail, code, direction } = document.getElementById('measured-what').dataset
  const hidden = document.createElement('iframe')
  hidden.className = 'frame-measured'
  hidden.setAttribute('sandbox', 'allow-same-origin')
  hidden.setAttribute('aria-hidden', 'true')
  hidden.tabIndex = -1
  hidden.src = document.getElementById('measured-what').dataset.url
  const loaded = new Promise((resolve) => hidden.addEventListener('load', resolve))
  document.body.append(hidden)
  await loaded
  const findings = findingsOf(hidden.contentDocument, { isMail: isMail === 'true', code, direction })
  hidden.remove()
  if (mine === measurement) showMeasured(findings)
}

function showMeasured(findings) {
  const list = document.createElement('ul')
  list.className = 'findings'
  list.append(...findings.map(findingItem))
  const fine = document.createElement('p')
  fine.className = 'fine'
  fine.textContent = 'Contrast in light and dark, width at 320 px, direction and code are sound.'
  const measured = document.getElementById('measured')
  measured.replaceChildren(findings.length > 0 ? list : fine)
  measured.dataset.done = String(measurement)
  const errors = document.querySelectorAll('#panel-checks .finding-error').length
  const all = document.querySelectorAll('#panel-checks .finding').length
  const count = document.getElementById('check-count')
  count.textContent = all > 0 ? String(all) : ''
  count.dataset.level = errors > 0 ? 'error' : 'warning'
}

function findingItem({ rule, message, cure }) {
  const template = document.getElementById('finding-template').content.cloneNode(true)
  template.querySelector('strong').textContent = message
  template.querySelector('.finding-cure').textContent = cure
  template.querySelector('code').textContent = rule
  return template
}
