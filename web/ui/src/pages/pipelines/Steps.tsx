import { ArrowDown } from 'lucide-react'
import type { Pipelines } from '@/api/admin'
import { QueryText } from '@/components/query/QueryText'
import { compact } from '@/lib/format'
import styles from './Graph.module.css'
import { branchRate, events, rateText, stepRate, type Looks, type Path } from './rates'

type Step = Pipelines['pipelines'][number]['parse'][number]
type Branch = Step['branches'][number]
/** Events a second: of fewer, what a batch costs tells nothing of an event. */
const FULL = 100
interface Where { readonly pipeline: string; readonly looks: Looks; readonly path?: Path }

/** Steps one after the other; those of a route have their branches in them, each with its steps. */
export function Steps({ steps, path = [], ...where }: Where & { readonly steps: readonly Step[] }) {
  return (
    <ol className={styles.steps}>
      {steps.map((step, at) => (
        // A pipeline may have the same step twice: its place is what it is known by.
        <li key={`${at} ${step.type}`} className={styles.step}>
          {at > 0 && <ArrowDown className={styles.down} aria-hidden />}
          <StepCard step={step} path={[...path, at]} {...where} />
        </li>
      ))}
    </ol>
  )
}

function StepCard({ step, pipeline, looks, path }: Required<Where> & { readonly step: Step }) {
  const rate = stepRate(looks, pipeline, path)
  return (
    <div className={styles.card}>
      <div className={styles.line}><b>{step.type}</b><span className={styles.rate}>{rateText(rate)}</span></div>
      {step.when && <p className={styles.when}>when <QueryText text={step.when} /></p>}
      <p className={styles.facts}>
        <span>{events(step.events)}</span>
        {rate !== null && rate >= FULL && <span>{(step.seconds / step.events * 1e6).toFixed(1)} µs each</span>}
        {step.failed > 0 && <span className={styles.bad}>{compact(step.failed)} not understood</span>}
        {step.left_out > 0 && <span>{compact(step.left_out)} left out</span>}
      </p>
      {step.branches.length > 0 && (
        <ul className={styles.branches} aria-label="Branches">
          {step.branches.map((branch, number) => (
            <BranchCard key={`${number} ${branch.when ?? ''}`} branch={branch} of={step.events} rate={rateText(branchRate(looks, pipeline, path, number))}>
              {branch.parse.length > 0 && <Steps steps={branch.parse} pipeline={pipeline} looks={looks} path={[...path, number]} />}
            </BranchCard>
          ))}
          <Unmatched step={step} />
        </ul>
      )}
    </div>
  )
}

function BranchCard({ branch, of, rate, children }: { readonly branch: Branch; readonly of: number; readonly rate: string; readonly children: React.ReactNode }) {
  return (
    <li className={styles.branch}>
      <div className={styles.line}>
        <span className={styles.when}>{branch.when === null ? 'else' : <>when <QueryText text={branch.when} /></>}</span>
        <span className={styles.rate}>{rate}</span>
      </div>
      <p className={styles.facts}>
        <span>{events(branch.events)}</span>
        {of > 0 && <span>{share(branch.events, of)}</span>}
        {of > 0 && branch.events === 0 && <span className={styles.dim}>nothing came this way yet</span>}
      </p>
      {children}
    </li>
  )
}

/** What no branch finds goes on after the route as it is. */
function Unmatched({ step }: { readonly step: Step }) {
  const past = step.events - step.branches.reduce((sum, branch) => sum + branch.events, 0)
  if (step.branches.some((branch) => branch.when === null) || past <= 0) return null
  return <li className={styles.branch}><p className={styles.facts}><span>no branch</span><span>{events(past)}</span><span>{share(past, step.events)}</span></p></li>
}

const share = (part: number, whole: number): string => `${(part / whole * 100).toFixed(part > 0 && part / whole < 0.01 ? 2 : 0)} %`
