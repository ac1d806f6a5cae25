/** The ends of three stacked logs. */
export function Logo({ size = 30 }: { readonly size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" fill="none" aria-hidden="true">
      {[[16, 9.4], [8.9, 21.6], [23.1, 21.6]].map(([x, y]) => (
        <g key={x} stroke="var(--logo-ring)">
          <circle cx={x} cy={y} r="6.4" fill="var(--logo-wood)" strokeWidth="1.6" stroke="var(--logo-bark)" />
          <circle cx={x} cy={y} r="3.6" strokeWidth="1.2" />
          <circle cx={x} cy={y} r="1.1" strokeWidth="1.2" />
        </g>
      ))}
    </svg>
  )
}
