import { HistoryMenu } from './HistoryMenu'
import { SavedMenu, type SavedMenuProps } from './SavedMenu'

/** The menus of the query box, which come after it. */
export default function QueryMenus({ text, onPick }: SavedMenuProps) {
  return (
    <>
      <HistoryMenu onPick={onPick} />
      <SavedMenu text={text} onPick={onPick} />
    </>
  )
}
