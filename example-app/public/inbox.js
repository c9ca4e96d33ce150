// Shows a new mail by itself. Without script the page asks anew every few seconds (see layout.hbs).
;(function () {
  'use strict'
  var known = document.querySelector('[data-newest]')
  if (!known) return
  ;(function look() {
    window
      .fetch('/inbox/newest')
      .then(function (answer) {
        return answer.text()
      })
      .then(function (newest) {
        if (newest === known.dataset.newest) return setTimeout(look, 1000)
        if (!('notice' in known.dataset)) return window.location.reload()
        known.href = '/inbox/' + newest
        known.hidden = false
      })
      .catch(function () {
        setTimeout(look, 5000) // the bank is closed; it may open again
      })
  })()
})()
