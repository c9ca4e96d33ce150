/** The mail of the hand-written app: template strings. */
export function mailOf({ to, code, minutes }) {
  const text = `Your code for Acme

${code}

It works for ${minutes} minutes, in the browser that asked for it.
If you did not ask for it, ignore this mail and tell nobody the code.

https://acme.example
`
  const html = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><title>Your code for Acme</title></head>
  <body style="margin:0;background:#f4f4f5;font-family:sans-serif;color:#18181b">
    <table role="presentation" width="100%" cellpadding="0" cellspacing="0"><tr><td align="center" style="padding:24px">
      <table role="presentation" width="480" cellpadding="0" cellspacing="0" style="background:#fff;border-radius:8px">
        <tr><td style="padding:32px">
          <h1 style="font-size:20px;margin:0 0 16px">Your code for Acme</h1>
          <p style="font-size:32px;letter-spacing:6px;margin:0 0 16px"><strong>${code}</strong></p>
          <p style="margin:0 0 16px">It works for ${minutes} minutes, in the browser that asked for it.</p>
          <p style="margin:0;color:#71717a">If you did not ask for it, ignore this mail and tell nobody the code.</p>
        </td></tr>
      </table>
    </td></tr></table>
  </body>
</html>
`
  return { from: 'Acme <no-reply@acme.example>', to, subject: 'Your code for Acme', text, html, code }
}
