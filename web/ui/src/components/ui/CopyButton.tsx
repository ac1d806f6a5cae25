import { Check, Copy } from 'lucide-react'
import { useEffect, useState } from 'react'
import { Button } from './Button'

interface CopyButtonProps {
  readonly text: string | (() => string)
  readonly label: string
  /** Shown beside the icon. */
  readonly children?: string
  readonly className?: string | undefined
}

/** Put a text on the clipboard and say so. */
export function CopyButton({ text, label, children, className }: CopyButtonProps) {
  const [copied, setCopied] = useState(false)
  useEffect(() => {
    if (!copied) return undefined
    const timer = setTimeout(() => setCopied(false), 1600)
    return () => clearTimeout(timer)
  }, [copied])
  return (
    <Button
      look="quiet"
      className={className}
      icon={copied ? <Check /> : <Copy />}
      title={label}
      aria-label={copied ? 'Copied' : label}
      onClick={() => void copyText(typeof text === 'string' ? text : text()).then(() => setCopied(true))}
    >
      {children && (copied ? 'Copied' : children)}
    </Button>
  )
}

/** The clipboard needs HTTPS or localhost; elsewhere the old way through a selection still works. */
async function copyText(text: string): Promise<void> {
  if (window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- the only way without a secure context
  document.execCommand('copy')
  area.remove()
  return undefined
}
