// Shows new mails without a reload by hand. Without script the page reloads every few seconds (see layout.hbs).
;(function () {
  'use strict'
  var newestShown = document.querySelector('[data-newest]')
  if (!newestShown) return
  ;(function poll() {
    window
      .fetch('/inbox/newest')
      .then(function (response) {
        return response.text()
      })
      .then(function (newest) {
        if (newest === newestShown.dataset.newest) return setTimeout(poll, 1000)
        if (!('notice' in newestShown.dataset)) return window.location.reload()
        newestShown.href = '/inbox/' + newest
        newestShown.hidden = false
      })
      .catch(function () {
        setTimeout(poll, 5000) // the server is down; it may come back
      })
  })()
})()
