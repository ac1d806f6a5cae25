export default function NotificationsView() { return <p>soon</p> }
