export default function IncidentPage() { return <p>soon</p> }
