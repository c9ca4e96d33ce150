// Optional: every page also works without script.
;(function () {
  'use strict'

  // A double click must not submit the form twice. Two seconds later it may: the browser has no event for a request that was
  // stopped, became a download, or ended in a redirect that it refused.
  var BLOCKED_MS = 2000
  document.addEventListener('submit', function (event) {
    var form = event.target
    var now = event.timeStamp
    if (now - Number(form.dataset.submittedAt || -BLOCKED_MS) < BLOCKED_MS) return event.preventDefault()
    form.dataset.submittedAt = String(now)
  })

  // The server enforces the wait between two mails; this only shows it.
  document.querySelectorAll('button[data-wait]').forEach(function (button) {
    var until = Date.now() + Number(button.dataset.wait) * 1000
    var text = button.textContent
    ;(function tick() {
      var left = Math.ceil((until - Date.now()) / 1000)
      button.disabled = left > 0
      button.textContent = left > 0 ? button.dataset.waitText.replace('%', String(left)) : text
      if (left > 0) setTimeout(tick, 250)
    })()
  })

  // Submits the "send" form once per step-up: not again on reload, on "back", or in a second tab that the guard
  // redirected a moment later.
  function autoSend() {
    var form = document.querySelector('form[data-auto-send]')
    if (!form) return
    var key = 'express-email-otp'
    try {
      var autoSent = JSON.parse(localStorage.getItem(key) || '[]')
      var now = Date.now()
      var isDone = autoSent.some(function (one) {
        return one.stepUp === form.dataset.autoSend || (now >= one.at && now - one.at < 10000)
      })
      if (isDone) return
      autoSent.unshift({ stepUp: form.dataset.autoSend, at: now })
      localStorage.setItem(key, JSON.stringify(autoSent.slice(0, 20)))
    } catch {
      return // without storage it could send on every reload
    }
    form.requestSubmit()
  }
  // A page that the browser prerenders may never be shown.
  if (document.prerendering) document.addEventListener('prerenderingchange', autoSend, { once: true })
  else autoSend()
})()
