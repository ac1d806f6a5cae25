export default function AlertsPage() { return <p>soon</p> }
