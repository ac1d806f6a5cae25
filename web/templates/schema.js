// Sends the form of an operation and shows the answer. A stream is shown as it comes, until the form is sent again.
for (const form of document.querySelectorAll('form')) {
  let running
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    running?.abort()
    running = new AbortController()
    const shown = form.querySelector('pre')
    shown.hidden = false
    shown.textContent = '…'
    let path = form.dataset.path
    const query = new URLSearchParams()
    const headers = {}
    for (const input of form.querySelectorAll('input')) {
      if (input.dataset.in === 'path') path = path.replace(`{${input.name}}`, encodeURIComponent(input.value))
      else if (input.value === '') continue
      else if (input.dataset.in === 'query') query.set(input.name, input.value)
      else if (input.dataset.in === 'header') headers[input.name] = input.value
    }
    const body = form.querySelector('textarea')?.value
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    const address = query.size ? `${path}?${query}` : path
    try {
      const answer = await fetch(address, { method: form.dataset.method, headers, body, signal: running.signal })
      let text = `${answer.status} ${answer.headers.get('Content-Type') ?? ''}\n\n`
      const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader()
      for (let part = await reader?.read(); part && !part.done; part = await reader.read()) {
        text += part.value
        shown.textContent = text.slice(0, 200_000)
      }
      shown.textContent = text.slice(0, 200_000)
    } catch (why) {
      if (why.name !== 'AbortError') shown.textContent = String(why)
    }
  })
}
